/*
 * The least that a server can do to send files: one thread, epoll, and for each request open, fstat, send, sendfile, close.
 * It is the floor that the benchmarks compare with, and no model of a server: it trusts its client.
 *
 * usage: sendfile-loop DIRECTORY; writes its port to standard output. It speaks HTTP to whom asks by GET; whom sends a name and
 * a line feed it sends the file alone, and closes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FD = 4096, MAX_EVENTS = 64, MAX_REQUEST = 4096 };

struct transfer {
  int file;
  int raw;
  off_t position;
  off_t end;
};

static struct transfer transfers[MAX_FD];
static int epoll_fd;

static int check(int result, const char *what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

static void watch(int operation, int fd, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  check(epoll_ctl(epoll_fd, operation, fd, &event), "epoll_ctl");
}

static void finish(int fd) {
  if (transfers[fd].file > 0) close(transfers[fd].file);
  transfers[fd].file = 0;
}

static void hang_up(int fd) {
  finish(fd);
  close(fd);
}

/* Send as much as the socket takes; when it is full, wait for it to take more. */
static void continue_transfer(int fd, int was_waiting) {
  struct transfer *transfer = &transfers[fd];
  while (transfer->position < transfer->end) {
    ssize_t sent = sendfile(fd, transfer->file, &transfer->position, transfer->end - transfer->position);
    if (sent > 0) continue;
    if (sent < 0 && errno == EAGAIN) {
      if (!was_waiting) watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
      return;
    }
    return hang_up(fd);
  }
  if (transfer->raw) return hang_up(fd);
  finish(fd);
  if (was_waiting) watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void start_transfer(int fd, const char *name, int raw) {
  struct stat status;
  int file = open(name, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) < 0) return hang_up(fd);
  transfers[fd] = (struct transfer){.file = file, .raw = raw, .position = 0, .end = status.st_size};
  if (raw) return continue_transfer(fd, 0);
  char header[256];
  int length = snprintf(header, sizeof header,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %lld\r\n\r\n",
                        (long long)status.st_size);
  if (send(fd, header, length, MSG_MORE | MSG_NOSIGNAL) != length) return hang_up(fd);
  continue_transfer(fd, 0);
}

static void read_request(int fd) {
  char request[MAX_REQUEST + 1];
  char name[256];
  ssize_t received = recv(fd, request, MAX_REQUEST, 0);
  if (received <= 0) return hang_up(fd);
  request[received] = '\0';
  /* The client sends one short request at a time, so it comes in whole. */
  if (sscanf(request, "GET /%255[^/ ] HTTP/1.1", name) == 1) return start_transfer(fd, name, 0);
  if (sscanf(request, "%255[^/\n]", name) == 1) return start_transfer(fd, name, 1);
  hang_up(fd);
}

static void accept_connection(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (fd >= MAX_FD) {
    close(fd);
    return;
  }
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(EPOLL_CTL_ADD, fd, EPOLLIN);
}

static int listen_on_any_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  check(bind(listener, (struct sockaddr *)&address, size), "bind");
  check(listen(listener, 4096), "listen");
  check(getsockname(listener, (struct sockaddr *)&address, &size), "getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(int argc, char **argv) {
  /* sendfile has no MSG_NOSIGNAL, and a client that has gone is no reason to end. */
  signal(SIGPIPE, SIG_IGN);
  check(chdir(argc > 1 ? argv[1] : "."), "chdir");
  int listener = listen_on_any_port();
  epoll_fd = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
    for (int index = 0; index < count; index++) {
      int fd = events[index].data.fd;
      if (fd == listener) accept_connection(fd);
      else if (events[index].events & (EPOLLERR | EPOLLHUP)) hang_up(fd);
      else if (events[index].events & EPOLLOUT) continue_transfer(fd, 1);
      else read_request(fd);
    }
  }
}
