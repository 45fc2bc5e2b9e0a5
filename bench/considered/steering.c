/*
 * What it costs a connection that a program chooses among the listeners of a port (SO_REUSEPORT): the kernel's own hash, a classic program
 * by the number of the CPU, which socket-tune attaches, and the same as eBPF.
 *
 *   steering <connections> <rounds>
 *
 * Prints microseconds of CPU a connection, of both ends: the least of the rounds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LISTENERS = 4 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double cpu_microseconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int attach_classic(int listener) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_CPU),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, LISTENERS),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  return setsockopt(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

static int attach_extended(int listener) {
  struct bpf_insn code[] = {
      {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_smp_processor_id},
      {.code = BPF_ALU64 | BPF_MOD | BPF_K, .dst_reg = BPF_REG_0, .imm = LISTENERS},
      {.code = BPF_JMP | BPF_EXIT},
  };
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insns = (unsigned long)code;
  attributes.insn_cnt = sizeof code / sizeof *code;
  attributes.license = (unsigned long)"GPL";
  int program = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
  if (program < 0) return -1;
  return setsockopt(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &program, sizeof program);
}

static double round_of(int connections, int (*attach)(int)) {
  struct pollfd listeners[LISTENERS];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int one = 1;
  for (int index = 0; index < LISTENERS; index++) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one)) fail("SO_REUSEPORT");
    if (bind(listener, (void *)&address, size) || listen(listener, 64)) fail("listen");
    getsockname(listener, (void *)&address, &size);
    listeners[index] = (struct pollfd){.fd = listener, .events = POLLIN};
  }
  if (attach && attach(listeners[0].fd)) return -1;
  struct linger at_once = {.l_onoff = 1};
  double start = cpu_microseconds();
  for (int made = 0; made < connections; made++) {
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, (void *)&address, size)) fail("connect");
    if (poll(listeners, LISTENERS, 1000) != 1) fail("poll");
    for (int index = 0; index < LISTENERS; index++)
      if (listeners[index].revents) close(accept(listeners[index].fd, 0, 0));
    /* Reset, so that no port is spent on TIME_WAIT. */
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(client);
  }
  double cost = (cpu_microseconds() - start) / connections;
  for (int index = 0; index < LISTENERS; index++) close(listeners[index].fd);
  return cost;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  static const struct {
    const char *name;
    int (*attach)(int);
  } ways[] = {{"hash", 0}, {"classic", attach_classic}, {"extended", attach_extended}};
  double least[3] = {1e9, 1e9, 1e9};
  for (int round = 0; round < atoi(arguments[2]); round++) {
    for (int way = 0; way < 3; way++) {
      double cost = round_of(atoi(arguments[1]), ways[way].attach);
      if (cost < least[way]) least[way] = cost;
    }
  }
  for (int way = 0; way < 3; way++) {
    if (least[way] < 0) printf("%s -\n", ways[way].name);
    else printf("%s %.2f\n", ways[way].name, least[way]);
  }
  return 0;
}
