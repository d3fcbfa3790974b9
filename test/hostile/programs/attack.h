/* What the attacks share. */

#ifndef ATTACK_H
#define ATTACK_H

/* Ends the program, with what could not be done and why. */
void fail(const char *what) __attribute__((noreturn));
void check(int result, const char *what);
void write_file(const char *path, const char *text);
void make_directory(const char *path);

/* Mount and user namespaces of its own, in which the caller is root: what any user may have. */
void become_root(void);

/* Tells the test that the attack goes on. */
void be_ready(const char *directory);

/* Reads these files over and over, in another process. */
void read_meanwhile(char *const files[]);

/* Mounts a FUSE that answers until `mute` is called, and then takes requests without end and answers none. */
int mount_fuse(const char *device, const char *where);
void mute(int daemon);

int reader(int argc, char **argv);
int flip(int argc, char **argv);
int hang(int argc, char **argv);
int serve_root(int argc, char **argv);
int many_mounts(int argc, char **argv);
int threads(int argc, char **argv);
int pieces(int argc, char **argv);
int cover(int argc, char **argv);

#endif
