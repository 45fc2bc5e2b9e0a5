/*
 * A client that leaves time to the server and the link: it throws bodies away unread, by recv(MSG_TRUNC).
 *
 * It takes jobs on standard input, a line each, and answers with a line of JSON:
 *   get HOST PORT PATH CONNECTIONS FASTOPEN MS   fetches PATH on so many new connections at once, for at most so long
 *   put HOST PORT BYTES CONNECTIONS MS           sends a body
 *   again HOST PORT PATH TIMES                   fetches PATH on one connection, one after another
 *   behind HOST PORT WARMUP_MS MS                asks for small messages on a connection that is full of large ones
 *   beside HOST PORT LARGE SMALL WARMUP_MS MS    fetches SMALL on one connection while LARGE comes in on another
 *   hold HOST PORT MS                            opens a connection, reads for so long, and keeps it
 * What is left of any other connection at the end of a job is reset.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 64, MOST_HEAD = 2048, PIECE = 1 << 20, MOST_SAMPLES = 4096, PATIENCE_MS = 30000 };

struct connection {
  int fd;
  /* Of the request that is still to be sent: its header, and then so much body. */
  size_t head_left;
  uint64_t body_left;
  /* Of the response. */
  char head[MOST_HEAD + 1];
  size_t head_length;
  uint64_t left;
  uint64_t received;
  int has_head;
  int is_done;
  double first_byte;
  double last_byte;
};

static struct connection connections[MOST_CONNECTIONS];
static char piece[PIECE];

static long check(long result, const char *what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

static void fail(const char *what) {
  fprintf(stderr, "client: %s\n", what);
  exit(1);
}

/* Milliseconds. */
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int open_connection(const char *host, int port, int fast_open) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("bad address");
  int on = 1;
  int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  if (fast_open) check(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on), "TCP_FASTOPEN_CONNECT");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) check(-1, "connect");
  return fd;
}

static void reset_connection(int fd) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "SO_LINGER");
  close(fd);
}

/* Whether the last call would have had to wait. */
static int would_wait(long result, const char *what) {
  if (result >= 0) return 0;
  if (errno == EAGAIN || errno == EINPROGRESS) return 1;
  return check(result, what);
}

static void send_request(struct connection *connection, const char *request, size_t length) {
  while (connection->head_left > 0) {
    long sent = send(connection->fd, request + length - connection->head_left, connection->head_left, MSG_NOSIGNAL);
    if (would_wait(sent, "send")) return;
    connection->head_left -= sent;
  }
  while (connection->body_left > 0) {
    size_t size = connection->body_left < PIECE ? connection->body_left : PIECE;
    long sent = send(connection->fd, piece, size, MSG_NOSIGNAL);
    if (would_wait(sent, "send")) return;
    connection->body_left -= sent;
  }
}

/* As many bytes of the head as belong to it; what follows is the body's. */
static void read_head(struct connection *connection) {
  size_t room = MOST_HEAD - connection->head_length;
  long taken = recv(connection->fd, connection->head + connection->head_length, room, 0);
  if (would_wait(taken, "recv")) return;
  if (taken == 0) fail("the connection has ended in a header");
  if (connection->first_byte == 0) connection->first_byte = now();
  connection->head_length += taken;
  connection->head[connection->head_length] = 0;
  char *end = strstr(connection->head, "\r\n\r\n");
  if (end == NULL) {
    if (connection->head_length == MOST_HEAD) fail("the header is too long");
    return;
  }
  char *length = strcasestr(connection->head, "\r\ncontent-length:");
  if (strncmp(connection->head, "HTTP/1.1 200", 12) != 0 || length == NULL) fail(connection->head);
  connection->has_head = 1;
  connection->received = connection->head + connection->head_length - (end + 4);
  connection->left = strtoull(length + 17, NULL, 10) - connection->received;
}

static void read_response(struct connection *connection) {
  if (!connection->has_head) read_head(connection);
  while (connection->has_head && connection->left > 0) {
    long dropped = recv(connection->fd, NULL, connection->left, MSG_TRUNC);
    if (would_wait(dropped, "recv")) return;
    if (dropped == 0) fail("the connection has ended in a body");
    connection->left -= dropped;
    connection->received += dropped;
    connection->last_byte = now();
  }
  if (!connection->has_head || connection->is_done) return;
  connection->is_done = 1;
  connection->last_byte = now();
}

static void start_connection(struct connection *connection, int fd, size_t head, uint64_t body) {
  memset(connection, 0, sizeof *connection);
  connection->fd = fd;
  connection->head_left = head;
  connection->body_left = body;
}

/* Serve connections until all are done or the time is up. */
static void run_connections(int count, const char *request, size_t length, double until) {
  struct pollfd watched[MOST_CONNECTIONS];
  for (;;) {
    int busy = 0;
    for (int index = 0; index < count; index++) {
      struct connection *connection = &connections[index];
      short events = POLLIN | (connection->head_left + connection->body_left > 0 ? POLLOUT : 0);
      watched[index] = (struct pollfd){.fd = connection->is_done ? -1 : connection->fd, .events = events};
      busy += !connection->is_done;
    }
    double left = until - now();
    if (busy == 0 || left <= 0) return;
    check(poll(watched, count, (int)left + 1), "poll");
    for (int index = 0; index < count; index++) {
      if (watched[index].revents & POLLOUT) send_request(&connections[index], request, length);
      if (watched[index].revents & (POLLIN | POLLERR | POLLHUP)) read_response(&connections[index]);
    }
  }
}

static uint64_t acknowledged(int fd) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  check(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
  return info.tcpi_bytes_acked;
}

/* What counts of a body that is sent is what the other side has acknowledged. */
static void exchange(const char *host, int port, int count, int fast_open, double most, const char *request, uint64_t body) {
  size_t length = strlen(request);
  double start = now();
  if (count < 1 || count > MOST_CONNECTIONS) fail("so many connections");
  for (int index = 0; index < count; index++) {
    start_connection(&connections[index], open_connection(host, port, fast_open), length, body);
  }
  run_connections(count, request, length, start + most);
  double end = start;
  double over = now();
  double sum = 0;
  uint64_t bytes = 0;
  int done = 0;
  for (int index = 0; index < count; index++) {
    struct connection *connection = &connections[index];
    done += connection->is_done;
    bytes += body > 0 ? acknowledged(connection->fd) : connection->received;
    double last = connection->is_done ? connection->last_byte : over;
    if (last > end) end = last;
    sum += last - start;
    reset_connection(connection->fd);
  }
  printf("{\"milliseconds\":%.3f,\"mean\":%.3f,\"firstByte\":%.3f,\"bytes\":%llu,\"done\":%d}\n", end - start, sum / count,
         connections[0].first_byte == 0 ? -1 : connections[0].first_byte - start, (unsigned long long)bytes, done);
}

static void get(const char *arguments) {
  char host[64], path[256], request[512];
  int port, count, fast_open, most;
  if (sscanf(arguments, "%63s %d %255s %d %d %d", host, &port, path, &count, &fast_open, &most) != 6) fail(arguments);
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
  exchange(host, port, count, fast_open, most, request, 0);
}

static void put(const char *arguments) {
  char host[64], request[512];
  unsigned long long bytes;
  int port, count, most;
  if (sscanf(arguments, "%63s %d %llu %d %d", host, &port, &bytes, &count, &most) != 5) fail(arguments);
  snprintf(request, sizeof request, "POST /upload HTTP/1.1\r\nHost: %s\r\nContent-Length: %llu\r\n\r\n", host, bytes);
  exchange(host, port, count, 0, most, request, bytes);
}

static void tell_samples(const double *samples, int count, uint64_t bytes, double milliseconds) {
  printf("{\"bytes\":%llu,\"milliseconds\":%.3f,\"samples\":[", (unsigned long long)bytes, milliseconds);
  for (int index = 0; index < count; index++) printf("%s%.3f", index == 0 ? "" : ",", samples[index]);
  printf("]}\n");
}

static void again(const char *arguments) {
  static double samples[MOST_SAMPLES];
  char host[64], path[256], request[512];
  int port, times;
  if (sscanf(arguments, "%63s %d %255s %d", host, &port, path, &times) != 4 || times > MOST_SAMPLES) fail(arguments);
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
  size_t length = strlen(request);
  int fd = open_connection(host, port, 0);
  double begin = now();
  for (int time = 0; time < times; time++) {
    double start = now();
    start_connection(&connections[0], fd, length, 0);
    run_connections(1, request, length, start + PATIENCE_MS);
    if (!connections[0].is_done) fail("no answer");
    samples[time] = connections[0].last_byte - start;
  }
  reset_connection(fd);
  /* The first waited for the connection as well. */
  tell_samples(samples + 1, times - 1, 0, now() - begin);
}

/* Frames are a length of four bytes, little endian, and a type: 0 of the large ones, 1 of the small. */
enum { FRAME_HEAD = 5 };

struct frames {
  unsigned char head[FRAME_HEAD];
  int head_length;
  uint32_t left;
};

/* How many small messages have come to their end among these bytes. */
static int count_small(struct frames *frames, const char *bytes, size_t length) {
  int small = 0;
  while (length > 0) {
    if (frames->head_length < FRAME_HEAD) {
      frames->head[frames->head_length++] = *bytes++;
      length--;
      if (frames->head_length == FRAME_HEAD) memcpy(&frames->left, frames->head, 4);
    } else {
      size_t some = frames->left < length ? frames->left : length;
      frames->left -= some;
      bytes += some;
      length -= some;
    }
    if (frames->head_length == FRAME_HEAD && frames->left == 0) {
      small += frames->head[4] == 1;
      frames->head_length = 0;
    }
  }
  return small;
}

static void behind(const char *arguments) {
  static double samples[MOST_SAMPLES];
  struct frames frames = {.head_length = 0};
  char host[64];
  int port, warm_up, most, count = 0;
  if (sscanf(arguments, "%63s %d %d %d", host, &port, &warm_up, &most) != 4) fail(arguments);
  int fd = open_connection(host, port, 0);
  double begin = now(), asked = 0, next = begin + warm_up;
  uint64_t bytes = 0;
  /* What was asked for in time is waited for. */
  while ((now() < begin + warm_up + most || asked > 0) && count < MOST_SAMPLES) {
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    if (check(poll(&watched, 1, PATIENCE_MS), "poll") == 0) fail("nothing comes");
    if (asked == 0 && now() > next) {
      asked = now();
      check(send(fd, "?", 1, MSG_NOSIGNAL), "send");
    }
    long taken = recv(fd, piece, PIECE, 0);
    if (would_wait(taken, "recv")) continue;
    if (taken == 0) fail("the connection has ended");
    bytes += taken;
    if (count_small(&frames, piece, taken) > 0) {
      samples[count] = now() - asked;
      /* At any time: at once would mean in step with how the server fills the connection up. */
      next = now() + drand48() * samples[count++];
      asked = 0;
    }
  }
  double end = now();
  reset_connection(fd);
  tell_samples(samples, count, bytes, end - begin);
}

static void beside(const char *arguments) {
  static double samples[MOST_SAMPLES];
  char host[64], large[256], small[256], request[512];
  int port, warm_up, most, count = 0;
  if (sscanf(arguments, "%63s %d %255s %255s %d %d", host, &port, large, small, &warm_up, &most) != 6) fail(arguments);
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", large, host);
  size_t length = strlen(request);
  double begin = now();
  start_connection(&connections[0], open_connection(host, port, 0), length, 0);
  run_connections(1, request, length, begin + warm_up);
  int fd = open_connection(host, port, 0);
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", small, host);
  length = strlen(request);
  while (now() < begin + warm_up + most && count < MOST_SAMPLES) {
    double start = now();
    start_connection(&connections[1], fd, length, 0);
    while (!connections[1].is_done) {
      if (connections[0].is_done) fail("the large one was not large enough");
      /* Only the second has something to be sent. */
      struct pollfd watched[] = {
          {.fd = connections[0].fd, .events = POLLIN},
          {.fd = fd, .events = POLLIN | (connections[1].head_left > 0 ? POLLOUT : 0)},
      };
      if (check(poll(watched, 2, PATIENCE_MS), "poll") == 0) fail("nothing comes");
      if (watched[0].revents) read_response(&connections[0]);
      if (watched[1].revents & POLLOUT) send_request(&connections[1], request, length);
      if (watched[1].revents & (POLLIN | POLLERR | POLLHUP)) read_response(&connections[1]);
    }
    samples[count++] = connections[1].last_byte - start;
  }
  double end = now();
  uint64_t bytes = connections[0].received;
  reset_connection(fd);
  reset_connection(connections[0].fd);
  /* The first waited for its connection as well. */
  tell_samples(samples + 1, count > 0 ? count - 1 : 0, bytes, end - begin);
}

static void hold(const char *arguments) {
  char host[64];
  int port, most;
  if (sscanf(arguments, "%63s %d %d", host, &port, &most) != 3) fail(arguments);
  int fd = open_connection(host, port, 0);
  double until = now() + most;
  for (double left = most; left > 0; left = until - now()) {
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    check(poll(&watched, 1, (int)left + 1), "poll");
    if (watched.revents) would_wait(recv(fd, piece, PIECE, 0), "recv");
  }
  printf("{}\n");
}

int main(void) {
  static char line[1024];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strncmp(line, "get ", 4) == 0) get(line + 4);
    else if (strncmp(line, "put ", 4) == 0) put(line + 4);
    else if (strncmp(line, "again ", 6) == 0) again(line + 6);
    else if (strncmp(line, "behind ", 7) == 0) behind(line + 7);
    else if (strncmp(line, "beside ", 7) == 0) beside(line + 7);
    else if (strncmp(line, "hold ", 5) == 0) hold(line + 5);
    else fail(line);
    fflush(stdout);
  }
  return 0;
}
