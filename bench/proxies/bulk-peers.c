// Both ends of a bulk through a proxy, as cheap as they can be: what is received is thrown away by the kernel (MSG_TRUNC of tcp(7)).
// Prints the port of the target and a port for jobs. A job is a line "PORT MEGABYTES"; it is answered by a byte when all has come.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static char piece[PIECE];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int listening(unsigned short *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16)) fail("listen");
  if (getsockname(fd, (struct sockaddr *)&address, &length)) fail("getsockname");
  *port = ntohs(address.sin_port);
  return fd;
}

static int connected(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
  return fd;
}

static void unblock(int fd) {
  if (fcntl(fd, F_SETFL, O_NONBLOCK)) fail("fcntl");
}

// The proxy connects to the target for each client, also for those that only looked whether it listens: these have closed.
static int acceptedFor(int target, int sender) {
  if (send(sender, piece, 1, MSG_NOSIGNAL) != 1) fail("send");
  for (;;) {
    int receiver = accept(target, NULL, NULL);
    if (receiver < 0) fail("accept");
    if (recv(receiver, NULL, 1, MSG_TRUNC) == 1) return receiver;
    close(receiver);
  }
}

static void run(int target, int port, long long bytes) {
  int sender = connected(port);
  int receiver = acceptedFor(target, sender);
  unblock(sender);
  unblock(receiver);
  long long left = bytes - 1, missing = bytes - 1;
  while (missing > 0) {
    struct pollfd ends[] = {{left > 0 ? sender : -1, POLLOUT, 0}, {receiver, POLLIN, 0}};
    if (poll(ends, 2, 10000) <= 0) fail("poll");
    if (ends[0].revents) {
      ssize_t sent = send(sender, piece, left < PIECE ? left : PIECE, MSG_NOSIGNAL);
      if (sent > 0) left -= sent;
      else if (errno != EAGAIN) fail("send");
    }
    if (ends[1].revents) {
      ssize_t received = recv(receiver, NULL, PIECE, MSG_TRUNC);
      if (received > 0) missing -= received;
      else if (received == 0 || errno != EAGAIN) fail("recv");
    }
  }
  close(sender);
  close(receiver);
}

int main(void) {
  unsigned short targetPort, controlPort;
  int target = listening(&targetPort), control = listening(&controlPort);
  memset(piece, 's', sizeof piece);
  printf("%d %d\n", targetPort, controlPort);
  fflush(stdout);
  for (;;) {
    int client = accept(control, NULL, NULL);
    char line[64] = "";
    int port;
    long megabytes;
    if (read(client, line, sizeof line - 1) <= 0 || sscanf(line, "%d %ld", &port, &megabytes) != 2) {
      close(client);
      continue;
    }
    run(target, port, (long long)megabytes << 20);
    if (write(client, ".", 1) != 1) fail("write");
    close(client);
  }
}
