/** Sizes that the API server refuses, and data that must not be in a manifest. */
import { type Found, family } from '../rule.ts';
import { entries, fields } from '../shape.ts';

export const sizeRules = family({
  name: 'sizes and secrets',
  rules: {
    'annotations-too-large': {
      severity: 'error',
      server: 'refuses',
      reason: 'All annotations of an object, keys and values together, may have 256 KiB (k8s.io/apimachinery, TotalAnnotationSizeLimitB).',
      remedy: 'Move the text into a ConfigMap or a file.',
    },
    'config-map-too-large': {
      severity: 'error',
      server: 'refuses',
      reason: 'The data of a ConfigMap may have 1 MiB (pkg/apis/core, MaxSecretSize): larger ones are refused.',
      remedy: 'Split it, or ship the data in an image.',
    },
    'secret-in-manifest': {
      severity: 'error',
      server: 'accepts',
      reason: 'Rendered manifests lie in git, in pipelines and on disks: whoever reads one reads the secret.',
      remedy: "Let the site's vault or a person create the Secret; refer to it as optional or as provided.",
    },
  },
  object(object, _cluster, found) {
    annotations(object.metadata.annotations, 'metadata.annotations', found);
    if (object.kind === 'ConfigMap' && object.apiVersion === 'v1') {
      const size = bytes(object.data) + bytes(object.binaryData);
      if (size > CONFIG_MAP_BYTES) found('config-map-too-large', 'data', `data has ${size} bytes; ${CONFIG_MAP_BYTES} are allowed`);
    }
    if (object.kind === 'Secret' && object.apiVersion === 'v1') {
      for (const field of ['data', 'stringData']) {
        // The values are not shown: this message lands in logs.
        const keys = Object.keys(fields(object[field]));
        if (keys.length > 0) found('secret-in-manifest', field, `${field} holds ${keys.join(', ')}`);
      }
    }
  },
  pod(pod, _cluster, found) {
    if (pod.metadataPath !== 'metadata') annotations(pod.annotations, `${pod.metadataPath}.annotations`, found);
  },
});

const ANNOTATION_BYTES = 256 * 1024;
const CONFIG_MAP_BYTES = 1024 * 1024;

function annotations(map: unknown, path: string, found: Found<'annotations-too-large'>): void {
  const size = entries(map).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (size > ANNOTATION_BYTES) found('annotations-too-large', path, `annotations have ${size} bytes; ${ANNOTATION_BYTES} are allowed`);
}

/** Values only: keys do not count. */
function bytes(map: unknown): number {
  return entries(map).reduce((sum, [, value]) => sum + Buffer.byteLength(value), 0);
}
