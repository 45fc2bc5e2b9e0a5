// pm2 start ecosystem.config.cjs
//
// The variables must be in the environment of pm2's daemon: see docs/deploy.md.
module.exports = {
  apps: [
    {
      name: 'app',
      script: 'app.js',
      instances: 'max',
      exec_mode: 'cluster',
      node_args: '--import socket-tune/register',
      // Milliseconds from SIGINT to SIGKILL: SOCKET_TUNE_DRAIN, and 5 s more.
      kill_timeout: 25_000,
    },
  ],
};
