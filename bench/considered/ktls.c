/*
 * A file by TLS 1.3's AES-128-GCM: read, encrypted by OpenSSL and sent, as Node does it, and by the kernel (kTLS), where it has the module.
 * Without it the sum of the cipher and of a plain sendfile(2) says what kTLS could cost at best.
 *
 *   ktls <file> <times>
 *
 * Prints microseconds of CPU a MB. The far end throws everything away, in a process of its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/tls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif

enum { RECORD = 16384, HEADER = 5, TAG = 16, READ = 65536 };

static unsigned char plain[READ], sealed[(RECORD + HEADER + TAG) * (READ / RECORD)];
static off_t size;
static int file;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double cpu_microseconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* OpenSSL 3, without its headers. */
static void *context;
static int (*start_seal)(void *, const void *, void *, const unsigned char *, const unsigned char *);
static int (*seal)(void *, unsigned char *, int *, const unsigned char *, int);
static int (*end_seal)(void *, unsigned char *, int *);
static int (*control)(void *, int, int, void *);

static int load_cipher(void) {
  void *library = dlopen("libcrypto.so.3", RTLD_NOW);
  if (!library) return 0;
  const void *(*cipher)(void) = dlsym(library, "EVP_aes_128_gcm");
  void *(*make)(void) = dlsym(library, "EVP_CIPHER_CTX_new");
  start_seal = dlsym(library, "EVP_EncryptInit_ex");
  seal = dlsym(library, "EVP_EncryptUpdate");
  end_seal = dlsym(library, "EVP_EncryptFinal_ex");
  control = dlsym(library, "EVP_CIPHER_CTX_ctrl");
  if (!cipher || !make || !start_seal || !seal || !end_seal || !control) return 0;
  static const unsigned char key[16] = "sixteen letters";
  context = make();
  return start_seal(context, cipher(), 0, key, 0) == 1;
}

/* EVP_CTRL_AEAD_GET_TAG of openssl/evp.h. */
enum { GET_TAG = 0x10 };

static size_t encrypt(size_t count) {
  static unsigned long long sequence;
  unsigned char nonce[12] = {0};
  size_t made = 0;
  for (size_t at = 0; at < count; at += RECORD) {
    int length = count - at < RECORD ? count - at : RECORD, written = 0, rest = 0;
    unsigned char *record = sealed + made;
    memcpy(nonce, &sequence, sizeof sequence);
    sequence++;
    start_seal(context, 0, 0, 0, nonce);
    memcpy(record, "\x17\x03\x03", 3);
    seal(context, 0, &rest, record, HEADER);
    seal(context, record + HEADER, &written, plain + at, length);
    end_seal(context, record + HEADER + written, &rest);
    control(context, GET_TAG, TAG, record + HEADER + length);
    made += HEADER + length + TAG;
  }
  return made;
}

static void send_all(int to, const unsigned char *bytes, size_t count) {
  for (size_t at = 0; at < count;) {
    ssize_t sent = send(to, bytes + at, count - at, 0);
    if (sent < 0) fail("send");
    at += sent;
  }
}

static void read_encrypt_send(int to) {
  for (off_t at = 0; at < size;) {
    ssize_t count = pread(file, plain, sizeof plain, at);
    if (count <= 0) fail("pread");
    at += count;
    send_all(to, sealed, encrypt(count));
  }
}

static void encrypt_alone(int to) {
  (void)to;
  for (off_t at = 0; at < size; at += READ) encrypt(size - at < READ ? size - at : READ);
}

static void send_file(int to) {
  for (off_t at = 0; at < size;)
    if (sendfile(to, file, &at, size - at) < 0) fail("sendfile");
}

static int connection(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int socket_ = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(socket_, (void *)&address, sizeof address)) fail("connect");
  return socket_;
}

static int take_over(int socket_) {
  struct tls12_crypto_info_aes_gcm_128 secret = {
      .info = {.version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128}, .key = "sixteen letters"};
  if (setsockopt(socket_, IPPROTO_TCP, TCP_ULP, "tls", 3)) return 0;
  return setsockopt(socket_, SOL_TLS, TLS_TX, &secret, sizeof secret) == 0;
}

static double measure(int port, int times, void (*once)(int), int is_kernels) {
  int socket_ = connection(port);
  if (is_kernels && !take_over(socket_)) return -1;
  double start = cpu_microseconds();
  for (int time = 0; time < times; time++) once(socket_);
  double cost = (cpu_microseconds() - start) / times / (size / 1048576.0);
  close(socket_);
  return cost;
}

static int start_sink(int *child) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (void *)&address, length) || listen(listener, 8)) fail("listen");
  getsockname(listener, (void *)&address, &length);
  *child = fork();
  if (*child == 0) {
    for (;;) {
      int taken = accept(listener, 0, 0);
      while (recv(taken, plain, sizeof plain, MSG_TRUNC) > 0)
        ;
      close(taken);
    }
  }
  close(listener);
  return address.sin_port;
}

static void tell(const char *name, double cost) {
  if (cost < 0) printf("%s -\n", name);
  else printf("%s %.1f\n", name, cost);
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  int times = atoi(arguments[2]), child;
  struct stat status;
  file = open(arguments[1], O_RDONLY);
  if (file < 0 || fstat(file, &status)) fail(arguments[1]);
  size = status.st_size;
  int port = start_sink(&child), has_cipher = load_cipher();
  tell("openssl", has_cipher ? measure(port, times, read_encrypt_send, 0) : -1);
  tell("cipher", has_cipher ? measure(port, times, encrypt_alone, 0) : -1);
  tell("sendfile", measure(port, times, send_file, 0));
  tell("kernel", measure(port, times, send_file, 1));
  kill(child, 9);
  waitpid(child, 0, 0);
  return 0;
}
