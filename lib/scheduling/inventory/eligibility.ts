/**
 * Eligibility: whether a row may have a pod of a demand at all. Suitability of the node, and on top of it what changes with pods and
 * samples: anti-affinity of those who are there, ports of the host, samples that are missing. Answers are kept by demand until
 * something that they are made of has changed.
 */
import type { Ask, Demand, Eligibility, Spread } from '../types.ts';
import type { Domains } from './domains.ts';
import type { HostPorts } from './host-ports.ts';
import type { Repulsion } from './repulsion.ts';
import type { Rows } from './rows.ts';
import { code, LIMITS, SELECTED, type Suitability, TOLERATED } from './suitability.ts';

export interface EligibilityOptions {
  readonly rows: Rows;
  readonly suitability: Suitability;
  readonly repulsion: Repulsion;
  readonly hostPorts: HostPorts;
  readonly domains: (topologyKey: string) => Domains;
  /** Number of a pool by name, and pools by row. */
  readonly poolOf: (row: number) => string | undefined;
  /** Where a sample that is missing refuses: whether the row has what the demand needs. */
  readonly isSampled?: (row: number, demand: Demand) => boolean;
  /** Changes with nodes, their pools and labels. */
  readonly nodesVersion: () => number;
  /** Changes with samples and what is fresh of them. */
  readonly samplesVersion: () => number;
}

export interface Eligible {
  eligible(demand: Demand, ask?: Pick<Ask, 'pools'>): Eligibility;
  counted(demand: Demand, spread: Spread): Uint8Array;
}

interface Answer<A> {
  readonly made: string;
  readonly value: A;
}

export function eligibility(options: EligibilityOptions): Eligible {
  const { rows, suitability, repulsion, hostPorts, domains, poolOf, isSampled, nodesVersion, samplesVersion } = options;
  const answers = new WeakMap<Demand, Map<string, Answer<unknown>>>();

  /** What was made of the same versions before, or made now. */
  function kept<A>(demand: Demand, question: string, made: string, make: () => A): A {
    const known = answers.get(demand) ?? new Map<string, Answer<unknown>>();
    answers.set(demand, known);
    const answer = known.get(question);
    if (answer?.made === made) return answer.value as A;
    const value = make();
    if (known.size >= MOST_QUESTIONS && answer === undefined) known.clear();
    known.set(question, { made, value });
    return value;
  }

  return {
    eligible(demand, { pools } = {}) {
      const suitable = suitability.of(demand);
      const against = repulsion.against(demand);
      const needsPorts = demand.hostPorts.length > 0;
      const needsSample = isSampled !== undefined && MEASURED.some((name) => demand.requests.has(name));
      if (pools === undefined && against === undefined && !needsPorts && !needsSample) return { why: suitable.why.data, limits: LIMITS };

      const made = [
        ...[suitable.version, nodesVersion(), against?.version],
        ...[needsPorts ? hostPorts.version : '', needsSample ? samplesVersion() : ''],
      ].join();
      const why = kept(demand, `eligible ${JSON.stringify(pools)}`, made, () => {
        const result = suitable.why.data.slice();
        const asked = pools && new Set(pools);
        const repelled = against?.rows();
        for (let row = 0; row < rows.count; row++) {
          if (rows.names[row] === undefined) continue;
          if (asked !== undefined && !asked.has(poolOf(row) ?? '')) result[row] = code('pool');
          else if (result[row] !== 0) continue;
          else if (repelled?.has(row)) result[row] = code('antiAffinity');
          else if (needsPorts && hostPorts.areTaken(row, demand)) result[row] = code('hostPorts');
          else if (needsSample && !isSampled(row, demand)) result[row] = code('noSample');
        }
        return result;
      });
      return { why, limits: LIMITS };
    },

    counted(demand, spread) {
      const suitable = suitability.of(demand);
      const asked = (spread.nodeAffinityPolicy === 'Honor' ? SELECTED : 0) | (spread.nodeTaintsPolicy === 'Honor' ? TOLERATED : 0);
      return kept(demand, `counted ${asked}`, `${suitable.version},${nodesVersion()}`, () => {
        const honors = suitable.honors.data;
        // A node without one of the labels is passed over by all constraints (nodeLabelsMatchSpreadConstraints).
        const keys = demand.spread.map(({ topologyKey }) => domains(topologyKey).of);
        const result = new Uint8Array(honors.length);
        for (let row = 0; row < rows.count; row++)
          if (rows.names[row] !== undefined && (honors[row]! & asked) === asked && keys.every((of) => of[row] !== -1)) result[row] = 1;
        return result;
      });
    },
  };
}

/** Supplies that samples tell of. */
const MEASURED = ['egress', 'ingress', 'ephemeral-storage'];
/** Of one demand: pools that were asked about, spread policies. */
const MOST_QUESTIONS = 16;
