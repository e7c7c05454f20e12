/**
 * Bandwidth: what the two annotations of a pod ask to be shaped to, the steps of it, and what changes with an annotation. Pure.
 * All of it is in the pod's namespace; what goes over the veth to the node is not shaped.
 */
import { spell } from '../../api/issue.ts';
import { toNumber } from '../../api/quantity.ts';
import { EGRESS_ANNOTATION, INGRESS_ANNOTATION } from '../../api/scheduling.ts';
import { type Refusal, refuse } from './refusal.ts';
import { type Line, linesOf, type Step, undone } from './step.ts';

/** The link that what comes in is shaped on. */
export const IFB = 'gala-in';

/** In bits a second; undefined: no limit. */
export interface Bandwidth {
  readonly egress?: number;
  readonly ingress?: number;
}

/** As the kubelet reads them for the bandwidth plugin (pkg/util/bandwidth/utils.go): 1k to 1P. */
export function bandwidthOf(annotations: Readonly<Record<string, string>>): Bandwidth | Refusal {
  const [egress, ingress] = [bitsOf(annotations[EGRESS_ANNOTATION]), bitsOf(annotations[INGRESS_ANNOTATION])];
  if (egress === 'wrong') return wrong(EGRESS_ANNOTATION, annotations);
  if (ingress === 'wrong') return wrong(INGRESS_ANNOTATION, annotations);
  return { ...(egress === undefined ? {} : { egress }), ...(ingress === undefined ? {} : { ingress }) };
}

function bitsOf(text: string | undefined): number | 'wrong' | undefined {
  if (text === undefined) return undefined;
  try {
    const bits = Math.ceil(toNumber(text));
    return bits >= 1e3 && bits <= 1e15 ? bits : 'wrong';
  } catch {
    return 'wrong';
  }
}

const wrong = (annotation: string, annotations: Readonly<Record<string, string>>): Refusal =>
  refuse(
    'BadBandwidth',
    `annotation ${annotation} is ${spell(annotations[annotation])}; bits a second, 1k to 1P, are allowed. Write it with its unit: '200M'.`,
  );

/** What comes in can be shaped only where it goes out: on a link of its own. */
export function inflow({ ingress }: Bandwidth, isThere = false): Step[] {
  if (ingress === undefined) return [];
  return [...(isThere ? [] : [{ do: 'ifb', link: IFB } as const]), { do: 'up', where: 'pod', link: IFB }];
}

export function shaping(ifname: string, { egress, ingress }: Bandwidth): Step[] {
  return [
    ...(egress === undefined ? [] : [{ do: 'shape', link: ifname, bitsPerSecond: egress } as const]),
    ...(ingress === undefined
      ? []
      : // The limit first: what is sent on before would not be limited.
        ([
          { do: 'shape', link: IFB, bitsPerSecond: ingress },
          { do: 'redirect', from: ifname, to: IFB },
        ] as const)),
  ];
}

/** All steps of a pod's limits. */
const limits = (ifname: string, bandwidth: Bandwidth): Step[] => [...inflow(bandwidth), ...shaping(ifname, bandwidth)];

/** The steps of a pod after its limits have changed. */
export function withLimits(steps: readonly Step[], ifname: string, before: Bandwidth, after: Bandwidth): Step[] {
  const was = new Set(limits(ifname, before).map((step) => JSON.stringify(step)));
  return [...steps.filter((step) => !was.has(JSON.stringify(step))), ...limits(ifname, after)];
}

/** What to run in a pod whose annotations have changed: no more than differs, and no packet is lost for what stays. */
export function reshaped(ifname: string, before: Bandwidth, after: Bandwidth): Line[] {
  const [was, will] = [limits(ifname, before), limits(ifname, after)];
  const sameThing = (a: Step) => (b: Step) => a.do === b.do && linkOf(a) === linkOf(b);
  const same = (a: Step) => (b: Step) => JSON.stringify(a) === JSON.stringify(b);
  const gone = was.filter((step) => !will.some(sameThing(step)));
  return [...undone(gone), ...will.filter((step) => !was.some(same(step))).flatMap(linesOf)];
}

const linkOf = (step: Step): string | undefined => ('link' in step ? step.link : undefined);
