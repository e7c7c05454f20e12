/**
 * EC2 for tests: an HTTP endpoint that any AWS SDK speaks to, as strict, slow and inconsistent as the real one where moto behind it
 * is kind (docs/operations/bed.md, EC2). Time is virtual: nothing gets attached, visible or refilled until the test moves the clock.
 */
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type InstanceType, instanceType, instanceTypeNames } from '../../../lib/api/instance-types.ts';
import { aHolding } from '../holding.ts';
import { newFolder, note, sweep } from '../records.ts';
import { type Account, type Answer, withSubnet } from './account.ts';
import { actionOf } from './actions.ts';
import { type VirtualClock, virtualClock } from './clock.ts';
import * as error from './error.ts';
import { type Counts, counting, type Fault, faults, type Order } from './fault.ts';
import { Refusal, startMoto } from './moto.ts';
import { type Call, callOf, isTrue } from './query.ts';
import { BUCKETS, type Bucket, type Levels, take } from './throttle.ts';
import { type Happened, settle } from './time.ts';
import { judgeToken, remember, type Tokens } from './token.ts';
import { capacityKey, type Delays, type Eni, emptyWorld, enisOn } from './world.ts';
import { type Element, element, itemsOf, writeXml } from './xml.ts';

export interface Ec2Options {
  /** @default 'ap-northeast-1' */
  readonly region?: string;
  /** How long things take, in virtual milliseconds. @default - as long as DELAYS says */
  readonly delays?: Partial<Delays>;
  /** Token buckets by API, in place of EC2's; `off`: nothing is throttled. @default - EC2's own */
  readonly buckets?: Readonly<Record<string, Bucket>> | 'off';
  /** Types that are not as in the table, to see that a program asks. @default none */
  readonly instanceTypes?: readonly InstanceType[];
  /** AMIs that exist beside those that moto brings. @default none */
  readonly images?: readonly string[];
  /** Where it listens. @default '127.0.0.1' */
  readonly host?: string;
}

/** Of the order that EC2 takes. */
export const DELAYS: Delays = {
  visibleMs: 1_000,
  attachMs: 3_000,
  detachMs: 3_000,
  startMs: 20_000,
  shutdownMs: 30_000,
  forgetMs: 3_600_000,
};

/** An ENI of an instance. */
export interface InstanceEni {
  readonly id: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
}

type Hook<T> = (event: T) => unknown;

export interface Ec2 {
  /** For `AWS_ENDPOINT_URL_EC2`, or a client's `endpoint`. */
  readonly endpoint: string;
  readonly region: string;
  readonly clock: VirtualClock;
  readonly counts: Counts;
  /** Has something happen to the next calls of an API, or of any (`*`). */
  fail(action: string, fault: Fault, order?: Order): void;
  /** Takes back all that was ordered and has not happened. */
  heal(): void;
  /** From now on so many instances of a type can be launched in a zone; undefined: without end, as at first. */
  setCapacity(type: string, zone: string, count: number | undefined): void;
  /** ENIs that an instance has now, the primary among them: `attached`, or not yet gone. */
  attached(instanceId: string): InstanceEni[];
  /** Tells of each ENI that gets attached to a running instance; the clock goes on when the hook has resolved. @returns how to stop it */
  onAttach(hook: Hook<InstanceEni>): () => void;
  /** Tells of each that is gone: detached, or ended with its instance. */
  onDetach(hook: Hook<InstanceEni>): () => void;
  onState(hook: Hook<{ readonly instanceId: string; readonly state: string }>): () => void;
  /** What moto has said. */
  log(): string;
  stop(): Promise<void>;
}

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';

/** Starts it and resolves when it serves. It ends with `stop()`, or with the process that started it. */
export async function startEc2(options: Ec2Options = {}): Promise<Ec2> {
  sweep();
  const folder = newFolder();
  const holding = aHolding(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  try {
    return await startIn(folder, holding, options);
  } catch (cause) {
    await holding.end();
    throw cause;
  }
}

async function startIn(folder: string, holding: ReturnType<typeof aHolding>, options: Ec2Options): Promise<Ec2> {
  const { region = 'ap-northeast-1', instanceTypes = [], images = [], host = '127.0.0.1' } = options;
  const moto = await startMoto(folder, region, holding);
  note(folder, [moto.process.pid]);
  const typeOf = (name: string) => instanceTypes.find((each) => each.name === name) ?? instanceType(name);
  const names = [...new Set([...instanceTypeNames(), ...instanceTypes.map(({ name }) => name)])];
  const delays = { ...DELAYS, ...options.delays };
  const account: Account = {
    ...{ world: emptyWorld, templates: {}, moto, delays, typeOf, images },
    types: names.flatMap((name) => typeOf(name) ?? []),
    now: () => clock.now(),
  };
  for (const item of itemsOf(await moto.ask({ action: 'DescribeSubnets', params: {} }), 'subnetSet'))
    account.world = withSubnet(account.world, item);

  const alone = oneAtATime();
  const hooks = { attach: new Set<Hook<InstanceEni>>(), detach: new Set<Hook<InstanceEni>>(), state: new Set<Hook<StateChange>>() };
  const clock = virtualClock(async () => {
    const happened = await alone(() => pass(account));
    // Not within: a hook may well ask EC2 something.
    for (const each of happened) await tell(hooks, each);
  });

  const buckets = options.buckets === 'off' ? undefined : { ...BUCKETS, ...options.buckets };
  const ordered = faults();
  const counts = counting();
  let levels: Levels = {};
  let tokens: Tokens<Answer> = {};
  const decide = async (call: Call): Promise<readonly Element[]> => {
    const action = actionOf(call.action);
    if (action === undefined) throw new Refusal(error.notPlayed(call.action));
    if (buckets) {
      const left = take(levels, call, clock.now(), buckets);
      if (left === undefined) throw new Refusal(error.throttled());
      levels = left;
    }
    if (isTrue(call.params.DryRun)) throw new Refusal(error.dryRun());
    const known = judgeToken(tokens, call);
    if (known !== undefined) {
      if ('refused' in known) throw new Refusal(known.refused);
      return (await known.answer.again?.()) ?? known.answer.body;
    }
    const answer = await action(account, call.params, call);
    tokens = remember(tokens, call, answer);
    return answer.body;
  };

  const server = createServer((request, response) => {
    void serve(request, response).catch((cause) => {
      // A fault of the stand-in's own must not look like one of EC2's that a program may wait out.
      answerError(response, { code: 'BedFailure', message: `${cause instanceof Error ? cause.stack : cause}`, status: 400 });
    });
  });
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const call = callOf(Buffer.concat(body).toString());
    if (call === undefined) return answerError(response, error.missing('Action'));
    if (!request.headers.authorization?.includes(`/${region}/ec2/aws4_request`)) return answerError(response, error.unauthenticated());
    const fault = ordered.strike(call);
    const refusal = fault?.do === 'error' ? refusalBy(fault) : undefined;
    const arrived = clock.now();
    try {
      if (refusal) throw refusal;
      const content = await alone(() => decide(call));
      counts.note(call.action, undefined);
      if (fault?.do === 'lose reply') return void request.socket.resetAndDestroy();
      if (fault?.do === 'delay') await clock.reached(arrived + fault.ms);
      response.writeHead(200, { 'content-type': 'text/xml;charset=UTF-8' });
      response.end(writeXml(element(`${call.action}Response`, [element('requestId', requestId()), ...content]), NAMESPACE));
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      counts.note(call.action, cause.error.code);
      if (fault?.do === 'lose reply') return void request.socket.resetAndDestroy();
      answerError(response, cause.error);
    }
  }

  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  holding.add(async () => {
    clock.pause();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const hook =
    <T>(hooked: Set<Hook<T>>) =>
    (each: Hook<T>) => {
      hooked.add(each);
      return () => void hooked.delete(each);
    };
  return {
    ...{ region, clock, counts },
    endpoint: `http://${host}:${(server.address() as AddressInfo).port}`,
    fail: ordered.add,
    heal: ordered.clear,
    setCapacity: (type, zone, count) => {
      const { [capacityKey(type, zone)]: _before, ...rest } = account.world.capacity;
      account.world = { ...account.world, capacity: count === undefined ? rest : { ...rest, [capacityKey(type, zone)]: count } };
    },
    attached: (instanceId) =>
      enisOn(account.world, instanceId).flatMap((eni) =>
        eni.attachment === undefined || eni.attachment.status === 'attaching' ? [] : eniOf(eni as OnInstance),
      ),
    onAttach: hook(hooks.attach),
    onDetach: hook(hooks.detach),
    onState: hook(hooks.state),
    log: moto.process.log,
    stop: holding.end,
  };
}

interface StateChange {
  readonly instanceId: string;
  readonly state: string;
}

/** Lets the world go on to the clock's time; what ended in it is gone from moto too. */
async function pass(account: Account): Promise<readonly Happened[]> {
  const { world, happened } = settle(account.world, account.now(), account.delays);
  account.world = world;
  for (const each of happened)
    if (each.what === 'detached' && each.deleted)
      await account.moto.ask({ action: 'DeleteNetworkInterface', params: { NetworkInterfaceId: each.eni.id } });
  return happened;
}

async function tell(
  hooks: { attach: Set<Hook<InstanceEni>>; detach: Set<Hook<InstanceEni>>; state: Set<Hook<StateChange>> },
  each: Happened,
): Promise<void> {
  if (each.what === 'attached') for (const hook of hooks.attach) await hook(eniOf(each.eni));
  else if (each.what === 'detached') for (const hook of hooks.detach) await hook(eniOf(each.eni));
  else for (const hook of hooks.state) await hook({ instanceId: each.instance.id, state: each.instance.state });
}

/** An ENI that is on an instance. */
type OnInstance = Eni & { readonly attachment: NonNullable<Eni['attachment']> };

const eniOf = ({ id, mac, addresses, attachment: { instanceId, deviceIndex, networkCardIndex } }: OnInstance): InstanceEni => ({
  ...{ id, mac, addresses, instanceId, deviceIndex, networkCardIndex },
});

/** Errors of the server, for which an SDK tries again; all others are the client's. */
const OF_THE_SERVER = ['InternalError', 'InternalFailure', 'RequestLimitExceeded', 'ServiceUnavailable', 'Unavailable'];

function refusalBy({ code, message, status }: Extract<Fault, { do: 'error' }>): Refusal {
  return new Refusal({ code, message: message ?? 'ordered by the test', status: status ?? (OF_THE_SERVER.includes(code) ? 503 : 400) });
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, "Example error response". */
function answerError(response: ServerResponse, { code, message, status }: error.Ec2Error): void {
  const errors = element('Errors', [element('Error', [element('Code', code), element('Message', message)])]);
  response.writeHead(status, { 'content-type': 'text/xml;charset=UTF-8' });
  response.end(writeXml(element('Response', [errors, element('RequestID', requestId())])));
}

let requests = 0;
const requestId = () => `00000000-0000-4000-8000-${(++requests).toString(16).padStart(12, '0')}`;

/** Runs one thing after the other: between a verdict and what it allows nothing else happens. */
function oneAtATime(): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const next = last.then(act, act);
    last = next.catch(() => {});
    return next;
  };
}
