/** Images: the same bytes on every host, today and after a restart. */
import { family } from '../rule.ts';
import { shown, text } from '../shape.ts';

export const imageRules = family({
  name: 'images',
  rules: {
    'image-missing': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server refuses a container without an image in a pod template.',
      remedy: 'Set image.',
    },
    'image-unpinned': {
      severity: 'error',
      server: 'accepts',
      reason: 'No tag, or the tag latest, means that two hosts may run different programs and a restart may be an upgrade.',
      remedy: 'Use a digest (@sha256:…) or a version tag.',
    },
  },
  pod(pod, _cluster, found) {
    for (const { spec, path } of pod.containers) {
      const image = text(spec.image);
      if (spec.image === undefined || spec.image === '') found('image-missing', `${path}.image`, 'image is missing');
      else if (image !== undefined && !isPinned(image)) found('image-unpinned', `${path}.image`, `image is ${shown(image)}`);
    }
  },
});

/** `registry:5000/name` has a port, not a tag: a tag follows the last slash. */
function isPinned(image: string): boolean {
  if (/@[a-z0-9]+:[0-9a-f]{32,}$/.test(image)) return true;
  const tag = /:([^:/@]+)$/.exec(image)?.[1];
  return tag !== undefined && tag !== 'latest';
}
