/*
 * open, stat, read and close of a small file that is in the page cache: by plain calls, and by one chain of io_uring.
 *
 *   small-file <file> <times>
 *
 * Prints microseconds of CPU a file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES = 8, STEPS = 4 };

static char buffer[1 << 20];

struct ring {
  int fd;
  unsigned *sq_tail, *sq_array, sq_mask;
  unsigned *cq_head, *cq_tail, cq_mask;
  struct io_uring_sqe *sqes;
  struct io_uring_cqe *cqes;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double cpu_microseconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int open_ring(struct ring *ring) {
  struct io_uring_params params;
  memset(&params, 0, sizeof params);
  ring->fd = syscall(SYS_io_uring_setup, ENTRIES, &params);
  if (ring->fd < 0) return -1;
  size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  size_t cq_size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  char *sq = mmap(0, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
  char *cq = mmap(0, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_CQ_RING);
  ring->sqes = mmap(0, params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
  if (sq == MAP_FAILED || cq == MAP_FAILED || ring->sqes == MAP_FAILED) return -1;
  ring->sq_tail = (unsigned *)(sq + params.sq_off.tail);
  ring->sq_array = (unsigned *)(sq + params.sq_off.array);
  ring->sq_mask = *(unsigned *)(sq + params.sq_off.ring_mask);
  ring->cq_head = (unsigned *)(cq + params.cq_off.head);
  ring->cq_tail = (unsigned *)(cq + params.cq_off.tail);
  ring->cq_mask = *(unsigned *)(cq + params.cq_off.ring_mask);
  ring->cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
  /* One slot for a file that never gets a descriptor: later steps of a chain can name it. */
  int none = -1;
  return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES, &none, 1);
}

static void by_ring(struct ring *ring, const char *path) {
  static struct statx status;
  unsigned tail = *ring->sq_tail;
  for (int step = 0; step < STEPS; step++) {
    unsigned index = (tail + step) & ring->sq_mask;
    struct io_uring_sqe *sqe = &ring->sqes[index];
    memset(sqe, 0, sizeof *sqe);
    sqe->flags = step < STEPS - 1 ? IOSQE_IO_LINK : 0;
    switch (step) {
      case 0:
        sqe->opcode = IORING_OP_OPENAT;
        sqe->fd = AT_FDCWD;
        sqe->addr = (unsigned long)path;
        sqe->open_flags = O_RDONLY;
        sqe->file_index = 1;
        break;
      case 1:
        sqe->opcode = IORING_OP_STATX;
        sqe->fd = AT_FDCWD;
        sqe->addr = (unsigned long)path;
        sqe->len = STATX_BASIC_STATS;
        sqe->off = (unsigned long)&status;
        break;
      case 2:
        sqe->opcode = IORING_OP_READ;
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->fd = 0;
        sqe->addr = (unsigned long)buffer;
        sqe->len = sizeof buffer;
        /* The file is shorter than the buffer: a short read must not break the chain. */
        sqe->flags = (sqe->flags & ~IOSQE_IO_LINK) | IOSQE_IO_HARDLINK;
        break;
      default:
        sqe->opcode = IORING_OP_CLOSE;
        sqe->file_index = 1;
    }
    ring->sq_array[index] = index;
  }
  __atomic_store_n(ring->sq_tail, tail + STEPS, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring->fd, STEPS, STEPS, IORING_ENTER_GETEVENTS, 0, 0) != STEPS) fail("io_uring_enter");
  unsigned head = *ring->cq_head;
  for (; head != __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE); head++) {
    int result = ring->cqes[head & ring->cq_mask].res;
    if (result < 0) {
      fprintf(stderr, "a step failed: %s\n", strerror(-result));
      exit(1);
    }
  }
  __atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
}

static void by_calls(const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) || pread(fd, buffer, sizeof buffer, 0) != status.st_size || close(fd)) fail(path);
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  const char *path = arguments[1];
  int times = atoi(arguments[2]);
  by_calls(path);
  double start = cpu_microseconds();
  for (int time = 0; time < times; time++) by_calls(path);
  printf("plain %.2f\n", (cpu_microseconds() - start) / times);
  struct ring ring;
  if (open_ring(&ring) < 0) {
    puts("io_uring -");
    return 0;
  }
  by_ring(&ring, path);
  start = cpu_microseconds();
  for (int time = 0; time < times; time++) by_ring(&ring, path);
  printf("io_uring %.2f\n", (cpu_microseconds() - start) / times);
  return 0;
}
