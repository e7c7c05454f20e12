/**
 * A server that speaks the list and watch protocol over HTTP on loopback, for one kind (ConfigMaps), and misbehaves when it is
 * told to: what a real one does once a year happens here each second.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Api, apiOf } from '../../lib/kube/client.ts';
import type { StoredMeta } from '../../lib/kube/kinds.ts';

export interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: StoredMeta;
  readonly data: Readonly<Record<string, string>>;
}

export interface TestServer {
  readonly url: string;
  readonly api: Api;
  /** What there is, by `namespace/name`. */
  readonly objects: ReadonlyMap<string, Thing>;
  readonly resourceVersion: number;
  /** Query of each request so far. */
  readonly asked: readonly URLSearchParams[];
  readonly watching: number;
  put(name: string, text: string): void;
  remove(name: string): void;
  /** Forgets what was before: older watches and pages are Expired. */
  compact(): void;
  bookmark(): void;
  /** Ends each watch: in good order, in the middle of a line, with an ERROR event, or by never saying anything again. */
  end(how: 'closed' | 'reset' | 'nonsense' | 'mute' | number): void;
  /** Sends the last events of each watch once more. */
  repeat(): void;
  /** Answers the next request so. @param seconds of Retry-After */
  refuse(status: number, seconds?: number): void;
  /** Called with each request before it is answered; `mute`: nothing is ever said to it. */
  meet(act: (query: URLSearchParams) => 'mute' | undefined): void;
  /** The kind is there, or it isn't: 404 and each watch ends. */
  setKnown(known: boolean): void;
  stop(): Promise<void>;
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Thing;
}

interface Watch {
  readonly response: ServerResponse;
  readonly sent: string[];
  muted: boolean;
}

export interface ServerOptions {
  /** @default true */
  readonly watchList?: boolean;
  /** Sizes of the parts that lines are sent in, in [0, 1). @default whole lines */
  readonly random?: () => number;
}

export async function aServer({ watchList = true, random }: ServerOptions = {}): Promise<TestServer> {
  const objects = new Map<string, Thing>();
  let changes: Change[] = [];
  let version = 100;
  let compacted = 0;
  let serial = 0;
  let known = true;
  const pages = new Map<string, { readonly items: readonly Thing[]; readonly version: number }>();
  const watches = new Set<Watch>();
  const asked: URLSearchParams[] = [];
  let met: (query: URLSearchParams) => 'mute' | undefined = () => undefined;
  const refusals: { status: number; seconds?: number | undefined }[] = [];

  const server = createServer((request, response) => {
    const { searchParams: query } = new URL(request.url!, 'http://loopback');
    asked.push(query);
    const mute = met(query) === 'mute';
    const refusal = refusals.shift();
    if (!known) say(response, 404);
    else if (refusal) say(response, refusal.status, refusal.seconds);
    else if (query.get('watch') === 'true') watch(query, request, response, mute);
    else list(query, response);
  });

  function list(query: URLSearchParams, response: ServerResponse): void {
    const [id, from = '0'] = (query.get('continue') ?? '').split('/');
    const snapshot = id
      ? pages.get(id)
      : { items: [...objects.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)), version };
    if (!snapshot) {
      say(response, 410);
      return;
    }
    const to = Number(from) + Number(query.get('limit') ?? 1e9);
    const next = id || String(++serial);
    pages.set(next, snapshot);
    const more = to < snapshot.items.length ? { continue: `${next}/${to}` } : {};
    response.setHeader('content-type', 'application/json');
    const items = snapshot.items.slice(Number(from), to).map(({ metadata, data }) => ({ metadata, data }));
    response.end(JSON.stringify({ kind: 'ConfigMapList', metadata: { resourceVersion: `${snapshot.version}`, ...more }, items }));
  }

  function watch(query: URLSearchParams, request: IncomingMessage, response: ServerResponse, muted: boolean): void {
    const initial = query.get('sendInitialEvents') === 'true';
    const since = Number(query.get('resourceVersion') ?? 0);
    const refusal = initial ? !watchList && 422 : since < compacted && 410;
    if (refusal) {
      say(response, refusal);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const each: Watch = { response, sent: [], muted };
    watches.add(each);
    request.socket.on('close', () => watches.delete(each));
    if (initial) {
      // A bookmark of an ordinary kind ends nothing.
      send(each, bookmarkAt(version));
      for (const object of objects.values()) send(each, { type: 'ADDED', object });
      send(each, bookmarkAt(version, { 'k8s.io/initial-events-end': 'true' }));
    } else for (const change of changes) if (Number(change.object.metadata.resourceVersion) > since) send(each, change);
  }

  function send(to: Watch, event: object): void {
    const line = `${JSON.stringify(event)}\n`;
    to.sent.push(line);
    write(to, line);
  }

  function write({ response, muted }: Watch, text: string): void {
    if (muted) return;
    const bytes = Buffer.from(text);
    for (let from = 0; from < bytes.length; ) {
      const to = random ? from + 1 + Math.floor(random() * bytes.length) : bytes.length;
      response.write(bytes.subarray(from, to));
      from = to;
    }
  }

  function change(type: Change['type'], key: string, object: Thing): void {
    if (type === 'DELETED') objects.delete(key);
    else objects.set(key, object);
    changes.push({ type, object });
    for (const each of watches) send(each, { type, object });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = apiOf({ url, token: 'anyone' });
  return {
    ...{ url, api, objects, asked },
    get resourceVersion() {
      return version;
    },
    get watching() {
      return watches.size;
    },
    put(name, text) {
      const key = `web/${name}`;
      const before = objects.get(key);
      const resourceVersion = `${++version}`;
      const uid = before?.metadata.uid ?? `uid-${++serial}`;
      const metadata = { name, namespace: 'web', uid, resourceVersion } as StoredMeta;
      change(before ? 'MODIFIED' : 'ADDED', key, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text } });
    },
    remove(name) {
      const key = `web/${name}`;
      const before = objects.get(key);
      if (before) change('DELETED', key, { ...before, metadata: { ...before.metadata, resourceVersion: `${++version}` } });
    },
    compact() {
      compacted = version;
      changes = [];
      pages.clear();
    },
    bookmark() {
      for (const each of watches) send(each, bookmarkAt(version));
    },
    end(how) {
      for (const each of [...watches]) {
        const { response } = each;
        if (how === 'mute') {
          each.muted = true;
          continue;
        }
        watches.delete(each);
        if (how === 'closed') response.end();
        else if (how === 'reset') response.write('{"type":"ADDED","object":{"metad', () => response.socket?.resetAndDestroy());
        else if (how === 'nonsense') response.end('{"type":"ADDED","object":null}\nno JSON at all\n');
        else response.end(`${JSON.stringify({ type: 'ERROR', object: statusOf(how) })}\n`);
      }
    },
    repeat() {
      for (const each of watches) for (const line of each.sent.slice(-5)) write(each, line);
    },
    refuse: (status, seconds) => void refusals.push({ status, seconds }),
    meet(act) {
      met = act;
    },
    setKnown(is) {
      known = is;
      if (!is) for (const { response } of watches) response.end();
    },
    async stop() {
      api.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const bookmarkAt = (version: number, annotations?: Record<string, string>) => ({
  type: 'BOOKMARK',
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { resourceVersion: `${version}`, annotations } },
});

const statusOf = (code: number) => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message: 'as the test says' });

function say(response: ServerResponse, status: number, seconds?: number): void {
  response.writeHead(status, { 'content-type': 'application/json', ...(seconds === undefined ? {} : { 'retry-after': `${seconds}` }) });
  response.end(JSON.stringify(statusOf(status)));
}
