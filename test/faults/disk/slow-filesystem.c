// A FUSE file system whose every read takes its time: slow-filesystem DIRECTORY MILLISECONDS. It speaks the protocol of
// /dev/fuse (include/uapi/linux/fuse.h) itself, so it needs no library. Two files are in it:
//
//   slow    SIZE bytes, byte n being n ^ n >> 8 ^ n >> 16
//   broken  the same, but from BROKEN_FROM on reading it fails with EIO
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SIZE = 4 << 20, BROKEN_FROM = 1 << 20, SLOW = 2, BROKEN = 3, THREADS = 4, REQUEST = (1 << 20) + (64 << 10) };

static int device;
static int delay;
static const char *directory;

static void answer(uint64_t unique, int error, const void *data, size_t size) {
  struct fuse_out_header header = {sizeof header + (error ? 0 : size), -error, unique};
  struct iovec parts[] = {{&header, sizeof header}, {(void *)data, size}};
  // Fails if whoever asked has gone away.
  if (writev(device, parts, error || size == 0 ? 1 : 2) < 0 && errno != ENOENT) perror("answer");
}

static struct fuse_attr attributes(uint64_t node) {
  struct fuse_attr attr = {.ino = node, .nlink = 1, .blksize = 4096};
  attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
  if (node != FUSE_ROOT_ID) attr.size = SIZE;
  attr.blocks = attr.size / 512;
  return attr;
}

static void look_up(uint64_t unique, const char *name) {
  uint64_t node = strcmp(name, "slow") == 0 ? SLOW : strcmp(name, "broken") == 0 ? BROKEN : 0;
  if (node == 0) return answer(unique, ENOENT, NULL, 0);
  struct fuse_entry_out out = {.nodeid = node, .entry_valid = 60, .attr_valid = 60, .attr = attributes(node)};
  answer(unique, 0, &out, sizeof out);
}

static void read_file(uint64_t unique, uint64_t node, const struct fuse_read_in *in) {
  usleep(delay * 1000);
  uint64_t end = in->offset + in->size < SIZE ? in->offset + in->size : SIZE;
  if (node == BROKEN && end > BROKEN_FROM) return answer(unique, EIO, NULL, 0);
  size_t size = in->offset < end ? end - in->offset : 0;
  unsigned char *bytes = malloc(size + 1);
  for (size_t n = 0; n < size; n++) {
    uint64_t at = in->offset + n;
    bytes[n] = at ^ at >> 8 ^ at >> 16;
  }
  answer(unique, 0, bytes, size);
  free(bytes);
}

static void initialise(uint64_t unique, const struct fuse_init_in *in) {
  struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = in->minor};
  if (out.minor > FUSE_KERNEL_MINOR_VERSION) out.minor = FUSE_KERNEL_MINOR_VERSION;
  out.max_readahead = 128 << 10;
  out.max_write = 4096;
  answer(unique, 0, &out, sizeof out);
}

static void handle(const struct fuse_in_header *in, const void *body) {
  struct fuse_attr_out attr = {.attr_valid = 60, .attr = attributes(in->nodeid)};
  struct fuse_open_out opened = {0};
  switch (in->opcode) {
    case FUSE_INIT: return initialise(in->unique, body);
    case FUSE_LOOKUP: return look_up(in->unique, body);
    case FUSE_GETATTR: return answer(in->unique, 0, &attr, sizeof attr);
    case FUSE_OPEN: return answer(in->unique, 0, &opened, sizeof opened);
    case FUSE_READ: return read_file(in->unique, in->nodeid, body);
    case FUSE_RELEASE:
    case FUSE_FLUSH: return answer(in->unique, 0, NULL, 0);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: return;
    default: return answer(in->unique, ENOSYS, NULL, 0);
  }
}

static void *serve(void *unused) {
  char *request = malloc(REQUEST);
  for (;;) {
    ssize_t size = read(device, request, REQUEST);
    if (size >= (ssize_t)sizeof(struct fuse_in_header)) {
      handle((struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
    } else if (errno == ENODEV) exit(0);  // unmounted
  }
  return unused;
}

static void unmount(int signal) {
  umount2(directory, MNT_DETACH);
  _exit(signal == SIGTERM ? 0 : 1);
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  directory = arguments[1];
  delay = atoi(arguments[2]);
  device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  char options[64];
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
  if (device < 0 || mount("slow", directory, "fuse.slow", MS_NOSUID | MS_NODEV, options) != 0) {
    perror(device < 0 ? "/dev/fuse" : "mount");
    return 1;
  }
  signal(SIGTERM, unmount);
  signal(SIGINT, unmount);
  puts("mounted");
  fflush(stdout);
  pthread_t threads[THREADS];
  for (int n = 0; n < THREADS; n++) pthread_create(&threads[n], NULL, serve, NULL);
  pthread_join(threads[0], NULL);
}
