/*
 * Connections with one request each, many at a time: connect, send, read to the end, close. One thread and epoll, so that the client
 * costs as little as it can.
 *
 *     short-connections PORT CONCURRENT TOTAL [SECONDS]
 *
 * Ends after TOTAL connections, or after SECONDS if these come first (TOTAL 0: no limit). Prints one line of JSON: connections that
 * were answered, failures by kind, latencies in microseconds, and how many answers each server gave, by the body of the answer (a word).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_NAMES = 256, NAME_LENGTH = 32, ROOM = 4096, PATIENCE_MS = 10000 };

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

struct connection {
  int fd;
  double began;
  size_t length;
  char answer[ROOM];
};

static struct sockaddr_in server;
static int poller;
static long begun, answered, refused, reset, empty, other, slow;
static double *latencies;
static long most_latencies;
static char names[MOST_NAMES][NAME_LENGTH];
static long answers[MOST_NAMES];
static int known_names;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void begin(struct connection *connection) {
  connection->length = 0;
  connection->began = now();
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection->fd < 0) fail("socket");
  begun++;
  int result = connect(connection->fd, (struct sockaddr *)&server, sizeof server);
  if (result < 0 && errno != EINPROGRESS) fail("connect");
  struct epoll_event event = { .events = EPOLLOUT, .data.ptr = connection };
  if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->fd, &event) < 0) fail("epoll_ctl");
}

static void count_failure(int error) {
  if (error == ECONNREFUSED) refused++;
  else if (error == ECONNRESET || error == EPIPE) reset++;
  else other++;
}

/* The body is behind the empty line. */
static void count_answer(struct connection *connection) {
  connection->answer[connection->length] = 0;
  char *body = strstr(connection->answer, "\r\n\r\n");
  if (body == NULL || body[4] == 0) {
    empty++;
    return;
  }
  /* Of a chunked body, the line with the length is skipped. */
  body += 4;
  char *line = strstr(body, "\r\n");
  if (line != NULL && line[2] != 0) body = line + 2;
  body[strcspn(body, "\r\n")] = 0;
  body[NAME_LENGTH - 1] = 0;
  int index = 0;
  while (index < known_names && strcmp(names[index], body) != 0) index++;
  if (index == known_names && known_names < MOST_NAMES) strcpy(names[known_names++], body);
  if (index < MOST_NAMES) answers[index]++;
  double latency = now() - connection->began;
  if (latency > 900e3) slow++;
  if (answered < most_latencies) latencies[answered] = latency;
  answered++;
}

/* Returns whether the connection is at its end. */
static int advance(struct connection *connection, unsigned events) {
  if (connection->length == 0 && (events & EPOLLOUT)) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0 && send(connection->fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) < 0) error = errno;
    if (error != 0) {
      count_failure(error);
      return 1;
    }
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->fd, &event);
    return 0;
  }
  ssize_t count = recv(connection->fd, connection->answer + connection->length, ROOM - 1 - connection->length, 0);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count < 0) {
    count_failure(errno);
    return 1;
  }
  connection->length += count;
  if (count > 0 && connection->length < ROOM - 1) return 0;
  count_answer(connection);
  return 1;
}

static int by_value(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static double percentile(double share) {
  long count = answered < most_latencies ? answered : most_latencies;
  return count == 0 ? 0 : latencies[(long)(share * (count - 1))];
}

static void report(double seconds) {
  qsort(latencies, answered < most_latencies ? answered : most_latencies, sizeof *latencies, by_value);
  printf("{\"seconds\":%.6f,\"answered\":%ld,\"refused\":%ld,\"reset\":%ld,\"empty\":%ld,\"other\":%ld,\"slow\":%ld", seconds,
         answered, refused, reset, empty, other, slow);
  printf(",\"p50\":%.0f,\"p99\":%.0f,\"most\":%.0f,\"servers\":{", percentile(0.5), percentile(0.99), percentile(1));
  for (int index = 0; index < known_names; index++)
    printf("%s\"%s\":%ld", index == 0 ? "" : ",", names[index], answers[index]);
  printf("}}\n");
}

int main(int count, char **arguments) {
  if (count < 4) return fprintf(stderr, "usage: short-connections PORT CONCURRENT TOTAL [SECONDS]\n"), 2;
  int concurrent = atoi(arguments[2]);
  long total = atol(arguments[3]);
  double limit = count > 4 ? atof(arguments[4]) * 1e6 : 0;
  server.sin_family = AF_INET;
  server.sin_port = htons(atoi(arguments[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  most_latencies = total > 0 ? total : 4000000;
  latencies = malloc(most_latencies * sizeof *latencies);
  struct connection *connections = calloc(concurrent, sizeof *connections);
  struct epoll_event *events = calloc(concurrent, sizeof *events);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (latencies == NULL || connections == NULL || events == NULL || poller < 0) fail("short-connections");
  double start = now();
  int open = 0;
  for (int index = 0; index < concurrent && (total == 0 || begun < total); index++, open++) begin(&connections[index]);
  while (open > 0) {
    int ready = epoll_wait(poller, events, concurrent, PATIENCE_MS);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    if (ready == 0) {
      /* Nobody has answered for ten seconds: those that are left hang. */
      other += open;
      break;
    }
    for (int index = 0; index < ready; index++) {
      struct connection *connection = events[index].data.ptr;
      if (!advance(connection, events[index].events)) continue;
      close(connection->fd);
      int is_over = (total > 0 && begun >= total) || (limit > 0 && now() - start > limit);
      if (is_over) open--;
      else begin(connection);
    }
  }
  report((now() - start) / 1e6);
  return 0;
}
