/**
 * A call of the shim: one document with the environment and the network configuration of a CNI verb, read with every bound checked.
 * Pure. The shim has looked at most of it; whoever else reaches the socket is root, and not believed either.
 */
import { isWord } from '../wiring/step.ts';

export const VERBS = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC'] as const;
export type Verb = (typeof VERBS)[number];

/** What the shim and the agent speak; the shim says its number first in each document. */
export const PROTOCOL = 1;

export const VERSIONS = ['0.4.0', '1.0.0', '1.1.0'] as const;

/** An attachment as the runtime names it. */
export interface Sandbox {
  readonly containerId: string;
  readonly ifname: string;
  /** Empty: the namespace is gone. */
  readonly netns: string;
}

export interface PodName {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Call {
  readonly verb: Verb;
  readonly cniVersion: string;
  /** Of the network configuration. */
  readonly network: string;
  /** ADD, DEL and CHECK. */
  readonly sandbox?: Sandbox;
  /** ADD, and what else the runtime says it for. */
  readonly pod?: PodName;
  /** CHECK: the result of the ADD before. */
  readonly prevResult?: unknown;
  /** GC: whom the runtime still knows. */
  readonly valid?: readonly { readonly containerId: string; readonly ifname: string }[];
}

/** An error of CNI without its version: codes of the specification below 100, ours from there on. */
export interface CniError {
  readonly code: number;
  readonly msg: string;
  readonly details: string;
}

/** "Error" of the CNI specification. */
const INCOMPATIBLE = 1;
const BAD_ENVIRONMENT = 4;
const BAD_CONTENT = 6;
const BAD_CONFIG = 7;

/** "CNI_CONTAINERID: … Must start with an alphanumeric character, optionally followed by … underscore, dot or hyphen." */
const CONTAINER_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;
/** IFNAMSIZ leaves 15. */
const IFNAME = /^[A-Za-z0-9_.-]{1,15}$/;
/** As the API server makes them; a pod's UID becomes part of nothing but comparisons. */
const UID = /^[A-Za-z0-9-]{1,128}$/;
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** @returns the call, or the error that answers it */
export function callOf(text: string): Call | CniError {
  const document = parsed(text);
  if (document === undefined) return bad(BAD_CONTENT, 'Failed to decode content', 'the body is no JSON object; the shim posts one.');
  const { protocol, env, config } = document;
  if (protocol !== PROTOCOL)
    return bad(
      INCOMPATIBLE,
      'Incompatible CNI version',
      `the shim speaks protocol ${spelt(protocol)}; this agent ${PROTOCOL}. It puts its own shim into place as it starts: look at its log.`,
    );
  if (!isObject(env) || !isObject(config))
    return bad(BAD_CONTENT, 'Failed to decode content', 'the document has no objects env and config; the shim sends both.');
  return called(env, config);
}

export const isCniError = (value: object): value is CniError => 'code' in value;

function called(env: Fields, config: Fields): Call | CniError {
  const said = (name: string) => (typeof env[name] === 'string' ? (env[name] as string) : '');
  const verb = VERBS.find((one) => one === said('CNI_COMMAND'));
  if (verb === undefined)
    return bad(BAD_ENVIRONMENT, ENVIRONMENT, `CNI_COMMAND is ${spelt(env.CNI_COMMAND)}; ${VERBS.join(', ')} are asked of the agent.`);
  const { cniVersion, name, prevResult } = config;
  if (!VERSIONS.some((one) => one === cniVersion))
    return bad(INCOMPATIBLE, 'Incompatible CNI version', `cniVersion is ${spelt(cniVersion)}; supported are ${VERSIONS.join(', ')}.`);
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,252}$/.test(name))
    return bad(
      BAD_CONFIG,
      'Invalid network config',
      `name is ${spelt(name)}; the conflist gives its network a name of letters, digits, _ . -`,
    );
  const common = { verb, cniVersion: cniVersion as string, network: name };
  if (verb === 'STATUS') return common;
  if (verb === 'GC') return collecting(common, config);
  const sandbox = sandboxOf(said, verb);
  if (isCniError(sandbox)) return sandbox;
  const pod = podOf(said('CNI_ARGS'));
  if (verb === 'ADD' && pod === undefined)
    return bad(
      BAD_ENVIRONMENT,
      ENVIRONMENT,
      `CNI_ARGS is ${spelt(env.CNI_ARGS)}; K8S_POD_UID, K8S_POD_NAMESPACE and K8S_POD_NAME must be in it, as containerd gives them since 1.6.`,
    );
  return { ...common, sandbox, ...(pod === undefined ? {} : { pod }), ...(prevResult === undefined ? {} : { prevResult }) };
}

const ENVIRONMENT = 'Invalid necessary environment variables';

function sandboxOf(said: (name: string) => string, verb: Verb): Sandbox | CniError {
  const [containerId, ifname, netns] = [said('CNI_CONTAINERID'), said('CNI_IFNAME'), said('CNI_NETNS')];
  if (!CONTAINER_ID.test(containerId))
    return bad(
      BAD_ENVIRONMENT,
      ENVIRONMENT,
      `CNI_CONTAINERID is ${spelt(containerId)}; letters, digits, _ . and -, at most 200, are allowed.`,
    );
  if (!IFNAME.test(ifname) || ifname === '.' || ifname === '..')
    return bad(BAD_ENVIRONMENT, ENVIRONMENT, `CNI_IFNAME is ${spelt(ifname)}; letters, digits, _ . and -, at most 15, are allowed.`);
  // A DEL may come when the namespace is gone.
  if ((netns !== '' || verb !== 'DEL') && !(netns.startsWith('/') && isWord(netns) && !netns.split('/').includes('..')))
    return bad(BAD_ENVIRONMENT, ENVIRONMENT, `CNI_NETNS is ${spelt(netns)}; an absolute path of letters, digits and _ . - : / is allowed.`);
  return { containerId, ifname, netns };
}

/** `IgnoreUnknown=1;K8S_POD_NAMESPACE=feed;K8S_POD_NAME=feed-api-0;K8S_POD_UID=…` */
function podOf(args: string): PodName | undefined {
  const all = new Map(args.split(';').map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)] as const));
  const [uid, namespace, name] = ['UID', 'NAMESPACE', 'NAME'].map((each) => all.get(`K8S_POD_${each}`) ?? '');
  return UID.test(uid!) && NAME.test(namespace!) && NAME.test(name!) ? { uid: uid!, namespace: namespace!, name: name! } : undefined;
}

/** "cni.dev/valid-attachments" of GC. Without it everything would be collected: that is a mistake, and not a wish. */
function collecting(common: Pick<Call, 'verb' | 'cniVersion' | 'network'>, config: Fields): Call | CniError {
  const list = config['cni.dev/valid-attachments'];
  const valid = Array.isArray(list)
    ? list.map((one) => ({ containerId: (one as Fields | null)?.containerID, ifname: (one as Fields | null)?.ifname }))
    : undefined;
  if (valid === undefined || !valid.every(isNamed))
    return bad(
      BAD_CONFIG,
      'Invalid network config',
      'cni.dev/valid-attachments must be a list of {containerID, ifname}; an empty one collects everything.',
    );
  return { ...common, valid };
}

const isNamed = (one: { containerId: unknown; ifname: unknown }): one is { containerId: string; ifname: string } =>
  typeof one.containerId === 'string' && typeof one.ifname === 'string';

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const bad = (code: number, msg: string, details: string): CniError => ({ code, msg, details });

/** Whatever it was, short enough for an event. */
const spelt = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 200));
