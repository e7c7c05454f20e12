/** The child of following.ts: follows the API server at a URL, and says what it took over so many seconds. */
import { apiOf } from '../../../../lib/kube/client.ts';
import { watchWorld } from '../../../../lib/scheduling/world.ts';

const [url = '', seconds = '20'] = process.argv.slice(2);
const ending = new AbortController();
const api = apiOf({ url });
const world = watchWorld(api, { signal: ending.signal });
await world.synced;
let events = 0;
world.pods.on({ updated: () => events++ });
// Compiling and the first collection after the list are no part of following.
await new Promise((resolve) => setTimeout(resolve, 3000));
events = 0;
const [before, began] = [process.cpuUsage(), performance.now()];
let rss = 0;
const looking = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss());
}, 200);
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
clearInterval(looking);
const { user, system } = process.cpuUsage(before);
const core = (user + system) / 1000 / (performance.now() - began);
process.stdout.write(JSON.stringify({ core, rssMiB: rss / 2 ** 20, pods: world.pods.size, events }));
process.exit(0);
