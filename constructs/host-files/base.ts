/** `30-gala-base.conf`: what every node wants whatever runs on it: logs, images, process limits, shutdown. */
import { isPositiveQuantity } from '../../lib/api/allocatable.ts';
import { spell } from '../../lib/api/issue.ts';
import type { Problem } from '../../lib/api/problem.ts';
import type { KubeletConfiguration } from './kubelet-configuration.ts';
import { type KubeletProfileProps, type Part, problemOf } from './profile.ts';

export function base(props: KubeletProfileProps): Part {
  const options = props.kubelet ?? {};
  const pulls = options.maxParallelImagePulls ?? 5;
  const shutdown = options.shutdownGracePeriodSeconds ?? 60;
  const ageHours = options.imageMaximumGCAgeHours;
  const backOff = options.maxContainerRestartPeriodSeconds;
  const config: KubeletConfiguration = {
    containerLogMaxSize: options.containerLogMaxSize ?? '50Mi',
    containerLogMaxFiles: options.containerLogMaxFiles ?? 5,
    imageGCHighThresholdPercent: options.imageGCHighThresholdPercent ?? 85,
    imageGCLowThresholdPercent: options.imageGCLowThresholdPercent ?? 80,
    ...(ageHours === undefined ? {} : { imageMaximumGCAge: `${ageHours}h` }),
    // Both, because validation refuses parallel pulls beside a base configuration's serializeImagePulls: true.
    serializeImagePulls: pulls === 1,
    maxParallelImagePulls: pulls,
    podPidsLimit: options.podPidsLimit ?? 16384,
    shutdownGracePeriod: `${shutdown}s`,
    shutdownGracePeriodCriticalPods: `${options.shutdownGracePeriodCriticalPodsSeconds ?? Math.min(20, shutdown)}s`,
    ...(backOff === undefined ? {} : { crashLoopBackOff: { maxContainerRestartPeriod: `${backOff}s` } }),
  };
  const because = [
    'Logs are rotated before they fill the disk, images are collected before pods are evicted for disk,',
    'a fork bomb ends at its pod, and a shutdown ends pods in order: business first, node agents last.',
  ];
  return { dropIn: { name: '30-gala-base.conf', because, config }, problems: check(props, config) };
}

/** As ValidateKubeletConfiguration (pkg/kubelet/apis/config/validation): the kubelet would not start. */
function check(props: KubeletProfileProps, config: KubeletConfiguration): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  const options = props.kubelet ?? {};
  const [low, high] = [config.imageGCLowThresholdPercent!, config.imageGCHighThresholdPercent!];
  if (low >= high)
    problems.push(
      problem(
        'kubelet.imageGCLowThresholdPercent',
        low,
        `image collection stops at ${low} % and starts at ${high} %`,
        'the low threshold is below the high one',
        `Take at most ${high - 1}.`,
      ),
    );
  const [shutdown, critical] = [options.shutdownGracePeriodSeconds ?? 60, options.shutdownGracePeriodCriticalPodsSeconds ?? 0];
  if (critical > shutdown)
    problems.push(
      problem(
        'kubelet.shutdownGracePeriodCriticalPodsSeconds',
        critical,
        `critical pods get ${critical} s of a shutdown that takes ${shutdown} s`,
        'a part of shutdownGracePeriodSeconds',
        `Take at most ${shutdown}.`,
      ),
    );
  const size = config.containerLogMaxSize!;
  if (!isPositiveQuantity(size))
    problems.push(
      problem(
        'kubelet.containerLogMaxSize',
        size,
        `containerLogMaxSize is ${spell(size)}`,
        "a quantity above 0 such as '50Mi'",
        'Write a size.',
      ),
    );
  return problems;
}
