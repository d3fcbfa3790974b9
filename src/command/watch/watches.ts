/** What the kernel is asked to tell of directories. */

import {
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_DONT_FOLLOW,
  IN_IGNORED,
  IN_MASK_ADD,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONLYDIR,
  IN_UNMOUNT,
} from '../../host/inotify.ts'

/** The kernel's watches: those of `Inotify`. */
export interface Watches {
  /** `undefined` where there is no directory. Throws when there is no room for another watch. */
  add(path: string, mask: number): number | undefined
  remove(wd: number): void
}

/** Something has come into a directory. */
export const COME = IN_CREATE | IN_MOVED_TO
/** A directory is not at its path any more. */
export const OVER = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED
/** A directory may be watched for several reasons: each adds to the others. */
const ADD = IN_ONLYDIR | IN_MASK_ADD
/** For a directory on the way to a place. */
export const ON_THE_WAY = COME | IN_DELETE_SELF | IN_MOVE_SELF | ADD
/** For one in which containers come and go. */
export const PLACE = ON_THE_WAY | IN_DELETE | IN_MOVED_FROM
/** For that of a container, whose files are to be complete. */
export const ENTRY = IN_MOVED_TO | IN_CLOSE_WRITE | IN_DONT_FOLLOW | ADD
