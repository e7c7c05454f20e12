/** Random questions, from a seed: a pod template, and how its slots are to be put on nodes. */
import type { Ask, Level } from '../../lib/scheduling/types.ts';
import { aTemplate, type Template } from './builders.ts';
import { type Dice, dice } from './dice.ts';
import { aTerm, FEED, HOSTNAME, NAMESPACES, PORT, ZONE } from './random-cluster.ts';

export interface Question extends Omit<Ask, 'demand'> {
  readonly namespace: string;
  readonly owner?: string;
  readonly template: Template;
}

export interface QuestionOptions {
  /** Only what a pod can say to kube-scheduler. @default false */
  readonly native?: boolean;
  /** The least that a pod asks for: keeps the number of pods small. @default half a CPU */
  readonly cpus?: readonly (string | number)[];
}

export function randomQuestion(seed: number, options: QuestionOptions = {}): Question {
  const roll = dice(seed);
  const { native = false } = options;
  const namespace = roll.pick(Object.keys(NAMESPACES));
  const template = randomTemplate(roll, options);
  if (native) return { namespace, template, strategy: 'spread' };
  return {
    namespace,
    template,
    strategy: roll.pick(['concentrate', 'spread']),
    ...(roll.chance(0.5) ? { owner: `${namespace}/feed-api` } : {}),
    ...(roll.chance(0.5) ? { maxPer: caps(roll) } : {}),
    ...(roll.chance(0.2) ? { near: roll.pick(['z0', 'z1', 'ap-northeast-1', 'nowhere']) } : {}),
    ...(roll.chance(0.1) ? { pools: roll.pick([['web'], ['web', 'burst'], ['burst', 'none']]) } : {}),
    ...(roll.chance(0.1) ? { byUse: true } : {}),
  };
}

function caps(roll: Dice): Ask['maxPer'] {
  const levels: readonly Level[] = ['node', 'rack', 'zone', 'datacenter'];
  const cap = () => (roll.chance(0.5) ? roll.between(1, 4) : `${roll.pick([20, 25, 30, 34, 50, 60, 100])}%`);
  return Object.fromEntries(levels.filter(() => roll.chance(0.35)).map((level) => [level, cap()]));
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

/** Pods of app `web`, mostly; each rule often enough, seldom all at once. */
function randomTemplate(roll: Dice, { native = false, cpus = ['0.5', '700m', 1] }: QuestionOptions): Template {
  const app = roll.pick(['web', 'web', 'cache', 'other']);
  // Constraints on the own app are those that move while pods are placed.
  const apps = [app, app, 'web', 'cache'];
  const some = <T>(share: number, most: number, make: () => T): T[] =>
    roll.chance(share) ? Array.from({ length: roll.between(1, most) }, make) : [];
  // The API server takes one constraint a key.
  const spread = [...new Map(some(0.3, 2, () => aConstraint(roll, apps)).map((it) => [it.topologyKey, it])).values()];
  const repels = some(0.18, 2, () => aTerm(roll, apps));
  const attracts = some(0.12, 2, () => aTerm(roll, apps));
  const nodeTerms = some(0.1, 2, () => ({
    matchExpressions: [
      roll.pick([
        { key: 'disk', operator: 'Exists' },
        { key: ZONE, operator: 'In', values: ['z0', 'z1'] },
        { key: FEED, operator: 'NotIn', values: ['f0'] },
      ]),
    ],
  }));
  const affinity = {
    ...(nodeTerms.length > 0 ? { nodeAffinity: { [REQUIRED]: { nodeSelectorTerms: nodeTerms } } } : {}),
    ...(attracts.length > 0 ? { podAffinity: { [REQUIRED]: attracts } } : {}),
    ...(repels.length > 0 ? { podAntiAffinity: { [REQUIRED]: repels } } : {}),
  };
  const cpu = String(roll.pick(cpus));
  const gpu = roll.chance(0.05) ? { 'acme.example/gpu': '1' } : {};
  return aTemplate({
    labels: { app },
    spec: {
      // Unlike where locks are, tolerating pools is the question's own business here.
      schedulerName: native ? undefined : 'gala-scheduler',
      containers: [
        {
          ...{ name: 'main', image: 'registry.example/app:1' },
          resources: { requests: { cpu, memory: roll.pick(['256Mi', '1Gi', '2Gi']), ...gpu }, limits: gpu },
          ...(roll.chance(0.06) ? { ports: [{ containerPort: PORT, hostPort: PORT }] } : {}),
        },
      ],
      ...(Object.keys(affinity).length > 0 ? { affinity } : {}),
      ...(spread.length > 0 ? { topologySpreadConstraints: spread } : {}),
      ...(roll.chance(0.08) ? { nodeSelector: { disk: 'ssd' } } : {}),
      ...(roll.chance(0.3) ? { tolerations: [{ key: 'dedicated', operator: 'Exists' }] } : {}),
      ...(!native && roll.chance(0.1) ? { hostNetwork: true } : {}),
    } as never,
  });
}

function aConstraint(roll: Dice, apps: readonly string[]) {
  return {
    topologyKey: roll.pick([ZONE, ZONE, HOSTNAME, FEED]),
    maxSkew: roll.between(1, 2),
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: roll.chance(0.05) ? {} : { matchLabels: { app: roll.pick(apps) } },
    ...(roll.chance(0.2) ? { minDomains: roll.between(1, 4) } : {}),
    ...(roll.chance(0.2) ? { nodeAffinityPolicy: 'Ignore' } : {}),
    ...(roll.chance(0.2) ? { nodeTaintsPolicy: 'Honor' } : {}),
  };
}
