/*
 * A link between two network namespaces: a TUN device in each, and this program in between, which carries packets with a delay, at
 * a rate, and loses some of them, the same in both directions.
 *
 * usage: link NAMESPACE_A NAMESPACE_B DEVICE
 * A first line, "ready", says that both devices are there. Then it takes commands on standard input, and ends with it:
 *   set DELAY_NS RATE_BITS LOSS_PPM QUEUE_BYTES SEED   what is under way is thrown away; answers "set"
 *   counts   since they were set; answers "counts CARRIED LOST OVERFLOWED LATE", LATE in nanoseconds: of a packet in a hundred
 *
 * A packet first waits for the line, in a queue that is bounded and drops what does not fit; then it takes its length in time to
 * get onto the line, and then the delay to come to the other end. What is lost is lost on the line, so it takes time there too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MTU = 1500, CAPACITY = 1 << 16, BATCH = 64, LATENESS_BUCKETS = 64 };

#define SECOND 1000000000ULL
/* Packets that are due within this time of each other are delivered together: to wake up for each would cost more than to carry it. */
#define GRAIN 30000ULL

struct packet {
  uint64_t due;
  uint32_t length;
  unsigned char bytes[MTU];
};

struct direction {
  int from;
  int to;
  struct packet *packets;
  uint32_t first;
  uint32_t count;
  /* When the line will have taken all that waits for it. */
  uint64_t line_free;
  uint64_t random;
};

static struct direction directions[2];
static uint64_t delay, rate = SECOND, loss_ppm, queue_bytes = 1 << 20;
static uint64_t carried, lost, overflowed;
/* How late packets were, by powers of two of nanoseconds. */
static uint64_t lateness[LATENESS_BUCKETS];

static int check(int result, const char *what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

/* A TUN device in a namespace; the descriptor stays with it wherever this process goes. */
static int open_device(const char *namespace, const char *device) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int there = check(open(path, O_RDONLY | O_CLOEXEC), path);
  check(setns(there, CLONE_NEWNET), "setns");
  close(there);
  int fd = check(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
  check(ioctl(fd, TUNSETIFF, &request), "TUNSETIFF");
  return fd;
}

static void open_direction(struct direction *direction, int from, int to) {
  direction->from = from;
  direction->to = to;
  size_t size = sizeof(struct packet) * CAPACITY;
  direction->packets = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (direction->packets == MAP_FAILED) check(-1, "mmap");
}

/* xorshift64*: the same seed loses the same packets. */
static int is_lost(struct direction *direction) {
  uint64_t x = direction->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  direction->random = x;
  return (((x * 0x2545F4914F6CDD1DULL) >> 32) * 1000000 >> 32) < loss_ppm;
}

/* When a packet of this length, which has come now, will be at the other end; 0 if it is lost. */
static uint64_t schedule(struct direction *direction, uint32_t length, uint64_t now) {
  uint64_t start = direction->line_free > now ? direction->line_free : now;
  uint64_t waiting = (start - now) * rate / 8 / SECOND;
  if (waiting + length > queue_bytes || direction->count == CAPACITY) {
    overflowed++;
    return 0;
  }
  direction->line_free = start + length * 8 * SECOND / rate;
  if (is_lost(direction)) {
    lost++;
    return 0;
  }
  return direction->line_free + delay;
}

static void take_in(struct direction *direction) {
  uint64_t now = now_ns();
  for (int taken = 0; taken < BATCH; taken++) {
    /* Where there is nothing under way, the same memory is used again: it is in the cache. */
    if (direction->count == 0) direction->first = 0;
    static struct packet spare;
    uint32_t next = (direction->first + direction->count) % CAPACITY;
    struct packet *packet = direction->count == CAPACITY ? &spare : &direction->packets[next];
    ssize_t length = read(direction->from, packet->bytes, MTU);
    if (length < 0 && errno == EAGAIN) return;
    check(length, "read");
    uint64_t due = schedule(direction, length, now);
    if (due == 0) continue;
    packet->due = due;
    packet->length = length;
    direction->count++;
  }
}

static void note_lateness(uint64_t late) {
  int bucket = 0;
  while (late > 1 && bucket < LATENESS_BUCKETS - 1) {
    late >>= 1;
    bucket++;
  }
  lateness[bucket]++;
}

static void deliver(struct direction *direction) {
  uint64_t now = now_ns();
  while (direction->count > 0) {
    struct packet *packet = &direction->packets[direction->first];
    if (packet->due > now) return;
    if (write(direction->to, packet->bytes, packet->length) >= 0) carried++;
    else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) overflowed++;
    else check(-1, "write");
    note_lateness(now - packet->due);
    direction->first = (direction->first + 1) % CAPACITY;
    direction->count--;
  }
}

static void set(const char *line) {
  uint64_t seed = 0;
  if (sscanf(line, "set %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &delay, &rate, &loss_ppm, &queue_bytes,
             &seed) != 5 || rate == 0) {
    fprintf(stderr, "link: %s", line);
    exit(1);
  }
  for (int index = 0; index < 2; index++) {
    struct direction *direction = &directions[index];
    direction->count = 0;
    direction->line_free = 0;
    direction->random = (seed * 2 + index + 1) * 0x9E3779B97F4A7C15ULL;
  }
  carried = lost = overflowed = 0;
  memset(lateness, 0, sizeof lateness);
  puts("set");
}

static void tell_counts(void) {
  uint64_t all = 0, so_far = 0;
  int bucket = 0;
  for (int index = 0; index < LATENESS_BUCKETS; index++) all += lateness[index];
  while (bucket < LATENESS_BUCKETS - 1 && (so_far += lateness[bucket]) * 100 < all * 99) bucket++;
  printf("counts %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", carried, lost, overflowed, (uint64_t)1 << (bucket + 1));
}

static void obey(void) {
  char line[256];
  if (fgets(line, sizeof line, stdin) == NULL) exit(0);
  if (strncmp(line, "set ", 4) == 0) set(line);
  else tell_counts();
  fflush(stdout);
}

/* Until the next packet is due, and no less than the grain. */
static struct timespec time_to_wait(void) {
  uint64_t next = UINT64_MAX;
  for (int index = 0; index < 2; index++) {
    struct direction *direction = &directions[index];
    if (direction->count > 0 && direction->packets[direction->first].due < next) next = direction->packets[direction->first].due;
  }
  uint64_t now = now_ns();
  uint64_t wait = next == UINT64_MAX ? SECOND : next > now + GRAIN ? next - now : GRAIN;
  return (struct timespec){.tv_sec = wait / SECOND, .tv_nsec = wait % SECOND};
}

/* Beside the programs that it serves, and whatever else the machine does. Containers may not have real-time scheduling. */
static void be_on_time(void) {
  struct sched_param priority = {.sched_priority = 10};
  check(prctl(PR_SET_TIMERSLACK, 1000), "PR_SET_TIMERSLACK");
  if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0) check(setpriority(PRIO_PROCESS, 0, -20), "setpriority");
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int a = open_device(argv[1], argv[3]);
  int b = open_device(argv[2], argv[3]);
  open_direction(&directions[0], a, b);
  open_direction(&directions[1], b, a);
  be_on_time();
  /* One command at a time: stdio must not hold back the next. */
  setvbuf(stdin, NULL, _IONBF, 0);
  puts("ready");
  fflush(stdout);
  struct pollfd watched[] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
  for (;;) {
    struct timespec wait = time_to_wait();
    if (ppoll(watched, 3, &wait, NULL) < 0 && errno != EINTR) check(-1, "ppoll");
    if (watched[2].revents) obey();
    for (int index = 0; index < 2; index++) {
      if (watched[index].revents & POLLIN) take_in(&directions[index]);
      deliver(&directions[index]);
    }
  }
}
