/*
 * The floor for datagrams of 1,200 bytes: sends without an interpreter, and a receiver that costs the machine little.
 *
 *     datagrams receive               prints its port; reads and discards until it is ended
 *     datagrams PORT COUNT BURST      sends COUNT datagrams, each by a sendmsg(2); with BURST above 1, so many by one with UDP_SEGMENT
 *
 * The sender prints the microseconds of CPU of one datagram.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { BYTES = 1200, MOST = 64, ROOM = 2048 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void receive(int fd) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, length) != 0) fail("bind");
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) fail("getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  static char buffers[MOST][ROOM];
  struct iovec parts[MOST];
  struct mmsghdr messages[MOST];
  memset(messages, 0, sizeof messages);
  for (int index = 0; index < MOST; index++) {
    parts[index] = (struct iovec){buffers[index], ROOM};
    messages[index].msg_hdr.msg_iov = &parts[index];
    messages[index].msg_hdr.msg_iovlen = 1;
  }
  while (recvmmsg(fd, messages, MOST, MSG_WAITFORONE, NULL) >= 0) continue;
  fail("recvmmsg");
}

static double cpu_microseconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void send_all(int fd, int port, int count, int burst) {
  static char bytes[BYTES * MOST];
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct iovec part = {bytes, (size_t)BYTES * burst};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(uint16_t))];
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(uint16_t)), .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT}};
  uint16_t segment = BYTES;
  memcpy(CMSG_DATA(&control.header), &segment, sizeof segment);
  struct msghdr message = {
      .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1};
  if (burst > 1) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
  }
  double before = cpu_microseconds();
  for (int sent = 0; sent < count; sent += burst)
    if (sendmsg(fd, &message, 0) < 0) fail("sendmsg");
  printf("%.4f\n", (cpu_microseconds() - before) / count);
}

int main(int count, char **words) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) fail("socket");
  if (count == 2 && strcmp(words[1], "receive") == 0) receive(fd);
  if (count != 4 || atoi(words[3]) < 1 || atoi(words[3]) > MOST) return 2;
  send_all(fd, atoi(words[1]), atoi(words[2]), atoi(words[3]));
  return 0;
}
