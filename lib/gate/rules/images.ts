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
      reason:
        'No tag, or the tag latest, means that two hosts may run different programs and a restart may be an upgrade. A digest that is not whole pulls nothing.',
      remedy: 'Use a digest (@sha256:…) or a version tag.',
    },
    'image-floating': {
      severity: 'warning',
      server: 'accepts',
      reason: 'A tag that is moved to each new build (main, stable, nightly, 1.2-latest) is latest by another name.',
      remedy: 'Use a digest (@sha256:…) or a version tag.',
    },
  },
  pod(pod, _cluster, found) {
    for (const { spec, path } of pod.containers) {
      const image = text(spec.image);
      if (spec.image === undefined || spec.image === '') found('image-missing', `${path}.image`, 'image is missing');
      if (image === undefined) continue;
      const [name = '', digest] = image.split(/@(.*)/s);
      const tag = tagOf(name);
      if (digest !== undefined) {
        if (!DIGEST.test(digest))
          found('image-unpinned', `${path}.image`, `image is ${shown(image)}; sha256 has 64 hex digits, sha512 128`);
      } else if (tag === undefined || tag === 'latest') found('image-unpinned', `${path}.image`, `image is ${shown(image)}`);
      else if (isFloating(tag)) found('image-floating', `${path}.image`, `image is ${shown(image)}`);
    }
  },
});

/** What container runtimes take (opencontainers/image-spec, descriptor: registered algorithms). */
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** `registry:5000/name` has a port, not a tag: a tag follows the last slash. */
function tagOf(name: string): string | undefined {
  return /:([^:/@]+)$/.exec(name)?.[1];
}

/** `stable`, `main-alpine`, `latest-debug`, `1.2-latest`; a build's number or commit beside the word makes it one build: `nightly-20261101`. */
function isFloating(tag: string): boolean {
  const words = tag.toLowerCase().split(/[-_.]/);
  if (words.includes('latest')) return true;
  return words.some((word) => FLOATING.has(word)) && !/\d/.test(tag);
}
const FLOATING: ReadonlySet<string> = new Set(
  'canary current dev devel develop development edge head lts main master next nightly prod production rolling snapshot stable staging testing tip trunk unstable'.split(
    ' ',
  ),
);
