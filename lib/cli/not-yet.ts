/** What is planned and not there: said as that, with what does it meanwhile. Pure; exit code 4. */

interface Planned {
  /** What it will do. */
  readonly does: string;
  /** What to type or read until then. */
  readonly meanwhile: string;
}

const VERBS: Readonly<Record<string, Planned>> = {
  rollback: {
    does: 'go back to the release before',
    meanwhile: 'kubectl rollout undo deployment/<name>; the new pods get their slots like any others.',
  },
  release: {
    does: 'say how far a release is, and where it hangs',
    meanwhile: 'kubectl rollout status deployment/<name>, and gala explain pod <name> of a pod that waits.',
  },
  borrow: {
    does: "lock slots on another team's hosts until a deadline",
    meanwhile: 'a nodeSelector gala.internal/pool: <pool> in the template; gala stock --pool <pool> says how many fit there.',
  },
  upstream: {
    does: 'say which nginx lacks which address',
    meanwhile: 'nginx -T on the host shows its upstreams; gala who <address> says who has an address.',
  },
  volumes: {
    does: 'say whose disk is full',
    meanwhile: 'kubectl get csistoragecapacities -A, and df on the host.',
  },
  top: {
    does: 'say which host is about to fall over',
    meanwhile: 'kubectl top nodes (with metrics-server); gala stock <deployment> -o json says how many more fit on each.',
  },
  drain: {
    does: 'empty a rack',
    meanwhile:
      'kubectl cordon -l gala.internal/rack=<rack>, then kubectl drain -l gala.internal/rack=<rack> --ignore-daemonsets; gala stock --definition <name> --without rack=<rack> says what is left.',
  },
  freeze: {
    does: 'refuse changes until a given time',
    meanwhile: 'stop the pipelines that apply; of Gala nothing changes pods that run by itself.',
  },
  off: {
    does: 'turn one part of Gala off',
    meanwhile:
      'leave its concern out of the definition and apply (docs/adopt.md); a policy alone is off without its binding (docs/policies.md, Breaking the glass).',
  },
};

/** What is planned of commands that are there. */
const PARTS: readonly (Planned & {
  readonly command: string;
  readonly asks: (args: readonly string[]) => boolean;
  readonly part: string;
})[] = [
  {
    command: 'diff',
    part: 'diff --live',
    asks: (args) => args.includes('--live'),
    does: 'compare a synth with what is live',
    meanwhile: 'kubectl diff --server-side -f dist/<cluster>, and gala diff <cluster> --against <earlier synth>.',
  },
  {
    command: 'explain',
    part: 'explain scaling',
    asks: ([kind]) => kind === 'scaling',
    does: 'say why a service did or did not scale',
    meanwhile: 'kubectl describe hpa <name>; gala stock <deployment> says what there is room for.',
  },
];

/** @param there the commands that exist */
export function notYet(args: readonly string[], there: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => !arg.startsWith('-'));
  const verb = args[at];
  if (verb === undefined) return undefined;
  const part = PARTS.find(({ command, asks }) => command === verb && asks(args.slice(at + 1)));
  if (part !== undefined) return sentence(part.part, part);
  const planned = Object.hasOwn(VERBS, verb) && !there.includes(verb) ? VERBS[verb] : undefined;
  return planned && sentence(verb, planned);
}

const sentence = (what: string, { does, meanwhile }: Planned): string => `gala ${what}: not yet. It will ${does}. Until then: ${meanwhile}`;
