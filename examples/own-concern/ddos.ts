// Somebody's own concern: an XDP guard on every intranet host.
import { defineConcern, NodeAgent, oneOf } from 'cdk8s-gala';

declare module 'cdk8s-gala' {
  interface ConcernOptions {
    readonly ddos?: { readonly mode?: 'observe' | 'drop' };
  }
}

export const ddos = defineConcern({
  name: 'ddos',
  options: { mode: oneOf(['observe', 'drop'], { doc: 'What happens to a flood.', default: 'observe', example: 'drop' }) },
  check(options, cluster, problem) {
    if (options.mode === 'drop' && cluster.intranetPools.length === 0)
      problem('mode', 'drop needs an intranet pool', {
        allowed: 'observe, or a cluster with one',
        remedy: 'Add an intranet pool, or observe.',
      });
  },
  render(scope, options, cluster) {
    for (const pool of cluster.intranetPools)
      new NodeAgent(scope, `ddos-${pool.name}`, {
        image: 'harbor.bj.intra/sre/xdp-guard@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
        args: [`--mode=${options.mode}`],
        nodeSelector: pool.nodeSelector,
        memory: '64Mi',
        needs: [{ capability: 'BPF', because: 'it loads one XDP program on the trunk' }],
      });
  },
});
