/*
 * A client that is not the limit: one thread that never sleeps while there is work (to be woken would cost the server more than
 * its answer does), and has the kernel throw bodies away instead of copying them.
 *
 * usage: load-client PORT http|raw NAME LENGTH CONNECTIONS
 *
 * http: GET /NAME on connections that are kept. raw: a connection for each request, which sends "NAME\n" and reads to the end.
 * It opens its connections, fetches NAME on each once, writes "ready", and then does what each line of its standard input says:
 * "MILLISECONDS REQUESTS" is answered by "REQUESTS SECONDS", once the time is up or so many requests were begun, and all that
 * were begun are through. Its input's end is its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* BATCH: connections that are opened at once, which are to fit into any listener's backlog. */
enum { BATCH = 100, MAX_EVENTS = 256, MAX_HEADER = 4096, PATIENCE_SECONDS = 20 };

struct connection {
  int fd;
  int busy;
  int has_header;
  size_t filled;
  long long left;
  char header[MAX_HEADER + 1];
};

static struct sockaddr_in server;
static int raw;
static char request[512];
static size_t request_length;
static long long body_length;
static int epoll_fd;
static int busy_count;
static long long begun;
static long long most;
static double until;

static void fail(const char *what) {
  fprintf(stderr, "load-client: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void wrong(const char *what, long long figure) {
  fprintf(stderr, "load-client: %s: %lld\n", what, figure);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void open_connection(struct connection *connection) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) fail("connect");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
  connection->fd = fd;
}

static void begin(struct connection *connection) {
  begun++;
  if (!connection->busy) busy_count++;
  connection->busy = 1;
  connection->has_header = raw;
  connection->filled = 0;
  connection->left = body_length;
  if (raw) open_connection(connection);
  if (send(connection->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) fail("send");
}

static int may_begin(void) { return begun < most && now() < until; }

static void finish(struct connection *connection) {
  if (may_begin()) return begin(connection);
  connection->busy = 0;
  busy_count--;
}

/* 0 if nothing has come in. */
static ssize_t receive(struct connection *connection, void *into, size_t size, int flags) {
  ssize_t length = recv(connection->fd, into, size, flags | MSG_DONTWAIT);
  if (length > 0) return length;
  if (length < 0 && errno == EAGAIN) return 0;
  if (length < 0) fail("recv");
  if (!raw || connection->left > 0) wrong("the connection has ended early; bytes left", connection->left);
  close(connection->fd);
  finish(connection);
  return 0;
}

static void read_header(struct connection *connection) {
  ssize_t length = receive(connection, connection->header + connection->filled, MAX_HEADER - connection->filled, 0);
  if (length == 0) return;
  connection->filled += length;
  connection->header[connection->filled] = '\0';
  char *end = strstr(connection->header, "\r\n\r\n");
  if (end == NULL && connection->filled < MAX_HEADER) return;
  char *field = strcasestr(connection->header, "\r\ncontent-length:");
  if (end == NULL || field == NULL || field > end) wrong("no usable header; bytes", connection->filled);
  if (strncmp(connection->header, "HTTP/1.1 200 ", 13) != 0) wrong("status", atoi(connection->header + 9));
  long long length_told = atoll(field + 17);
  if (length_told != body_length) wrong("Content-Length", length_told);
  connection->left -= connection->filled - (end + 4 - connection->header);
  connection->has_header = 1;
}

static void discard(struct connection *connection) {
  /* A raw body's end is the connection's: ask for a byte more, to see it. */
  size_t size = connection->left + raw;
  connection->left -= receive(connection, NULL, size, MSG_TRUNC);
  if (raw && connection->left < 0) wrong("bytes too many", -connection->left);
}

static void take_in(struct connection *connection) {
  /* What an idle connection has to say is that the server has closed it. */
  if (!connection->busy) wrong("a connection that waits for nothing has ended", connection->fd);
  if (!connection->has_header) read_header(connection);
  else discard(connection);
  if (!raw && connection->has_header && connection->left < 0) wrong("bytes too many", -connection->left);
  if (!raw && connection->has_header && connection->left == 0) finish(connection);
}

static void drain(void) {
  double patience = now() + PATIENCE_SECONDS;
  while (busy_count > 0) {
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll_fd, events, MAX_EVENTS, 0);
    if (count < 0) fail("epoll_wait");
    for (int index = 0; index < count; index++) take_in(events[index].data.ptr);
    if (count > 0) patience = now() + PATIENCE_SECONDS;
    else if (now() > patience) wrong("nothing has come in; requests under way", busy_count);
  }
}

static void run(struct connection *connections, int count, long long milliseconds, long long requests) {
  double start = now();
  begun = 0;
  most = requests;
  until = start + milliseconds / 1e3;
  for (int index = 0; index < count && begun < most; index++) begin(&connections[index]);
  drain();
  printf("%lld %.9f\n", begun, now() - start);
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: load-client PORT http|raw NAME LENGTH CONNECTIONS\n");
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  setlinebuf(stdout);

  server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  server.sin_port = htons(atoi(argv[1]));
  raw = strcmp(argv[2], "raw") == 0;
  const char *form = raw ? "%s\n" : "GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  request_length = snprintf(request, sizeof request, form, argv[3]);
  body_length = atoll(argv[4]);
  int count = atoi(argv[5]);
  struct connection *connections = calloc(count, sizeof *connections);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (connections == NULL || epoll_fd < 0) fail("start");

  for (int index = 0; index < count; index++) {
    if (!raw) open_connection(&connections[index]);
    begin(&connections[index]);
    if (index % BATCH == 0 || index == count - 1) drain();
  }
  printf("ready\n");
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    long long milliseconds, requests;
    if (sscanf(line, "%lld %lld", &milliseconds, &requests) != 2) wrong("unreadable order", 0);
    run(connections, count, milliseconds, requests);
  }
  return 0;
}
