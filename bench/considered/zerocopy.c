/*
 * send(2) of large buffers with MSG_ZEROCOPY and without.
 *
 *   zerocopy sink <address>             prints the port, then takes connections and throws away what comes
 *   zerocopy send <address> <port> <MB>
 *
 * Prints microseconds of CPU a MB of the sender, the kernel's work for it included, and the share of completions that say that the
 * kernel has copied after all (SO_EE_CODE_ZEROCOPY_COPIED).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 256 << 10 };

static char piece[PIECE] __attribute__((aligned(4096)));

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double cpu_microseconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static struct sockaddr_in address_of(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail(host);
  return address;
}

static void sink(const char *host) {
  struct sockaddr_in address = address_of(host, 0);
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (void *)&address, size) || listen(listener, 8)) fail("listen");
  getsockname(listener, (void *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int connection = accept(listener, 0, 0);
    if (connection < 0) fail("accept");
    /* MSG_TRUNC: nothing is copied here. */
    while (recv(connection, piece, sizeof piece, MSG_TRUNC) > 0)
      ;
    close(connection);
  }
}

/* Returns the completions that were there, and adds those that say "copied". */
static unsigned completions(int socket, unsigned *copied) {
  unsigned all = 0;
  for (;;) {
    char control[128];
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return all;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
      struct sock_extended_err *error = (void *)CMSG_DATA(part);
      if (error->ee_origin != SO_EE_ORIGIN_ZEROCOPY) continue;
      unsigned count = error->ee_data - error->ee_info + 1;
      all += count;
      if (error->ee_code & SO_EE_CODE_ZEROCOPY_COPIED) *copied += count;
    }
  }
}

static void measure(const char *host, int port, int megabytes, int flags) {
  struct sockaddr_in address = address_of(host, port);
  int one = 1, socket_ = socket(AF_INET, SOCK_STREAM, 0);
  if (flags && setsockopt(socket_, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one)) fail("SO_ZEROCOPY");
  if (connect(socket_, (void *)&address, sizeof address)) fail("connect");
  unsigned sent = 0, done = 0, copied = 0;
  double start = cpu_microseconds();
  for (long left = (long)megabytes << 20; left > 0;) {
    ssize_t count = send(socket_, piece, left < PIECE ? left : PIECE, flags);
    if (count < 0 && errno != ENOBUFS) fail("send");
    if (count > 0) left -= count, sent++;
    if (flags) done += completions(socket_, &copied);
  }
  while (flags && done < sent) {
    struct pollfd wait = {.fd = socket_};
    poll(&wait, 1, 1000);
    unsigned more = completions(socket_, &copied);
    if (more == 0) break;
    done += more;
  }
  printf("%s %.1f\n", flags ? "zerocopy" : "plain", (cpu_microseconds() - start) / megabytes);
  if (flags) printf("copied %.3f\n", done == 0 ? 0.0 : (double)copied / done);
  close(socket_);
}

int main(int count, char **arguments) {
  if (count == 3 && strcmp(arguments[1], "sink") == 0) sink(arguments[2]);
  if (count != 5) return 2;
  for (int flags = 0; flags <= MSG_ZEROCOPY; flags += MSG_ZEROCOPY)
    measure(arguments[2], atoi(arguments[3]), atoi(arguments[4]), flags);
  return 0;
}
