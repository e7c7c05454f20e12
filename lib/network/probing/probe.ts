/**
 * Probe: asks on a link of this node, by gala-probe, once the VLAN's sub-interface is there and up. Decides nothing; what went
 * wrong is answered too, since a trunk without a carrier is nothing that a caller should fall over. Needs CAP_NET_RAW, CAP_NET_ADMIN
 * and CAP_SYS_ADMIN, on the host's network.
 */
import { execFile } from 'node:child_process';
import { linesOf, type Step } from '../wiring/step.ts';
import { type Answer, type Ask, type Outcome, questionsOf } from './ask.ts';

/** Where the image has it. */
export const PROGRAM = '/opt/gala/cni/gala-probe';

export interface ProbeOptions {
  /** Both programs as words before their arguments. @default the image's */
  readonly gala?: readonly [string, ...string[]];
  readonly ip?: readonly [string, ...string[]];
  /**
   * From the first question to the end, where something stays silent.
   * @default 1000: questions leave at 0, 250 and 500 ms, and the last is answered within as much; what stands in a rack needs less than 5
   */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

const WAIT_MS = 1_000;
/** Beside what is waited for: the carrier of a link that has just come up, and a busy machine. */
const MORE_MS = 5_000;
/** A program of iproute2 takes milliseconds. */
const IP_MS = 5_000;
/** 256 answers have 25 KB. */
const MOST_BYTES = 1 << 20;

export async function probe(ask: Ask, options: ProbeOptions = {}): Promise<Outcome> {
  const { gala = [PROGRAM] as const, ip = ['ip'] as const, waitMs = WAIT_MS, signal } = options;
  const run = (command: readonly [string, ...string[]], args: readonly string[], timeoutMs: number) =>
    ended([...command, ...args] as [string, ...string[]], timeoutMs, signal);

  const missing = await bringUp(ask, (args) => run(ip, args, IP_MS));
  if (missing !== undefined) return { failed: missing };
  const said = await run(gala, [ask.link, String(waitMs), ...questionsOf(ask)], waitMs + MORE_MS);
  if (said.failed !== undefined) return { failed: said.failed };
  return outcomeOf(said.stdout) ?? { failed: `${gala.join(' ')} printed what it does not print: ${said.stdout.slice(0, 200)}` };
}

interface Ended {
  readonly stdout: string;
  /** What it said is wrong, or what became of it. */
  readonly failed?: string;
}

type Ip = (args: readonly string[]) => Promise<Ended>;

/** The sub-interface stays: it is every pod's of that VLAN on the host. @returns what is amiss */
async function bringUp({ trunk, vlan, link }: Ask, ip: Ip): Promise<string | undefined> {
  const step = async (what: Step) => (await ip(linesOf(what)[0]!.line.split(' '))).failed;
  const isThere = (await ip(['-o', 'link', 'show', 'dev', link])).failed === undefined;
  const made = isThere ? undefined : await step({ do: 'vlan', trunk, id: vlan, link });
  // RTNETLINK's word for EEXIST: whoever wires a pod was faster.
  if (made !== undefined && !made.includes('File exists'))
    return `${link}, the sub-interface of VLAN ${vlan} on trunk ${trunk}, could not be made: ${made}. See on the host: ip link. Name the right trunk in the pool.`;
  const up = await step({ do: 'up', where: 'host', link });
  return up === undefined ? undefined : `${link} could not be put up: ${up}. See on the host: ip link show dev ${trunk}`;
}

/** @returns never rejects */
function ended([program, ...args]: readonly [string, ...string[]], timeoutMs: number, signal: AbortSignal | undefined): Promise<Ended> {
  return new Promise((resolve) => {
    const how = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MOST_BYTES, signal } as const;
    execFile(program, args, how, (error, stdout, stderr) => {
      if (error === null) return resolve({ stdout });
      const late = error.killed === true ? `${program} did not end within ${timeoutMs} ms and was killed` : undefined;
      resolve({ stdout, failed: late ?? (stderr.trim() || error.message) });
    });
  });
}

/** @returns undefined where it is none */
function outcomeOf(text: string): Outcome | undefined {
  try {
    const { answered, probing, silent } = JSON.parse(text) as Record<string, unknown>;
    const isRight = areAnswers(answered) && areAnswers(probing) && Array.isArray(silent) && silent.every((ip) => typeof ip === 'string');
    return isRight ? { answered, probing, silent } : undefined;
  } catch {
    return undefined;
  }
}

const areAnswers = (value: unknown): value is Answer[] =>
  Array.isArray(value) && value.every((one) => typeof one?.ip === 'string' && typeof one?.mac === 'string');
