// pm2 start ecosystem.config.cjs
//
// The preload and its variables reach every process by the environment of pm2's daemon: see docs/deploy.md.
module.exports = {
  apps: [
    {
      name: 'app',
      script: 'app.js',
      instances: 'max',
      exec_mode: 'cluster',
      node_args: '--import socket-tune/register',
      // SIGKILL comes that many milliseconds after SIGINT: SOCKET_TUNE_DRAIN, and some.
      kill_timeout: 25_000,
    },
  ],
};
