/**
 * `70-gala-swap.conf`: whether the kubelet starts beside swap, and whether containers get some.
 * NodeSwap is stable and locked on since 1.34 and its gate marked for removal (pkg/features/kube_features.go): none is set.
 */
import type { Problem } from '../../lib/api/problem.ts';
import { type KubeletProfileProps, type Part, problemOf, swapOf } from './profile.ts';

type SwapBehavior = 'NoSwap' | 'LimitedSwap';

/** What each minor's kubelet knows; UnlimitedSwap went with 1.30. */
const SWAP_BEHAVIORS: Readonly<Record<string, readonly SwapBehavior[]>> = {
  '1.35': ['NoSwap', 'LimitedSwap'],
  '1.36': ['NoSwap', 'LimitedSwap'],
  '1.37': ['NoSwap', 'LimitedSwap'],
};

export function swap(props: KubeletProfileProps): Part {
  const limited = swapOf(props) === 'limited';
  const present = (props.machine?.swapBytes ?? 0) > 0;
  const swapBehavior: SwapBehavior = limited ? 'LimitedSwap' : 'NoSwap';
  const because = limited
    ? [
        'Containers of Burstable pods may swap, each in proportion to its memory request; Guaranteed, BestEffort and critical pods',
        'may not (cgroup v2 only). Running pods keep their limits until they are started anew.',
      ]
    : present
      ? ['The host has swap for its own daemons; containers get none.']
      : ['No swap in this pool: the kubelet does not start while any is on.'];
  const config = { failSwapOn: !(limited || present), memorySwap: { swapBehavior } };
  return { dropIn: { name: '70-gala-swap.conf', because, config }, problems: check(props, swapBehavior) };
}

function check(props: KubeletProfileProps, swapBehavior: SwapBehavior): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  const known = SWAP_BEHAVIORS[props.kubernetes] ?? [];
  if (!known.includes(swapBehavior))
    problems.push(
      problem(
        'swap',
        swapBehavior,
        `Kubernetes ${props.kubernetes} has no swapBehavior ${swapBehavior}`,
        `minors ${Object.keys(SWAP_BEHAVIORS).join(', ')}`,
        'Choose one of these minors.',
      ),
    );
  const bytes = props.machine?.swapBytes ?? 0;
  if (swapBehavior === 'LimitedSwap' && bytes <= 0)
    problems.push(
      problem(
        'machine.swap',
        bytes,
        'containers are to swap, but the machine has no swap',
        'a size such as 64Gi',
        "Give `machine.swap` a size, or set swap to 'none'.",
      ),
    );
  if (bytes > 0 && bytes < MIN_SWAP_BYTES)
    problems.push(problem('machine.swap', bytes, `swap is ${bytes} bytes`, 'at least 1Mi', 'Mind the unit: 64Gi, not 64.'));
  if (props.swapOn === 'zram' && props.machine !== undefined && bytes > props.machine.memoryBytes)
    problems.push(
      problem(
        'machine.swap',
        bytes,
        `zram swap of ${bytes} bytes lives in ${props.machine.memoryBytes} bytes of memory`,
        'at most the memory',
        'Make it smaller: what does not compress stays in memory.',
        'warning',
      ),
    );
  return problems;
}

/** zram-generator counts in MiB. */
const MIN_SWAP_BYTES = 2 ** 20;
