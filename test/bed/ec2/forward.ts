/** Run in a bed's network: hands each connection on to a Unix socket, which belongs to no network. Arguments: host, port, path. */
import { createConnection, createServer } from 'node:net';

const [host = '', port = '', path = ''] = process.argv.slice(2);
const server = createServer((from) => {
  const to = createConnection(path);
  from.pipe(to).pipe(from);
  const end = () => {
    from.destroy();
    to.destroy();
  };
  from.on('error', end).on('close', end);
  to.on('error', end).on('close', end);
});
server.listen(Number(port), host, () => console.log('ready'));
