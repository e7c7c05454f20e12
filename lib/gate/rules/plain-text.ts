/** Secrets in plain text: in env entries, in arguments and in ConfigMaps. Their values are never shown: messages land in logs. */
import type { KubeObject } from '../../api/manifest.ts';
import type { Container } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { holdsSecret, isSecretLike } from '../secret-like.ts';
import { entries, items, join, text } from '../shape.ts';

export const plainTextRules = family({
  name: 'plain text',
  rules: {
    'secret-in-plain-text': {
      severity: 'warning',
      server: 'accepts',
      reason: 'What looks like a password, token or private key stands where whoever reads manifests, pods or process lists reads it.',
      remedy: 'Refer to a Secret (valueFrom.secretKeyRef, or a file of a mounted one) that the site provides.',
    },
  },
  object(object, _cluster, found) {
    if (object.kind === 'ConfigMap' && object.apiVersion === 'v1') configMap(object, found);
  },
  pod(pod, _cluster, found) {
    for (const container of pod.containers) {
      env(container, found);
      // A shell's command line is no option; only what a program is given by itself is read.
      args(container, 'command', found);
      args(container, 'args', found);
    }
  },
});

type PlainTextRule = 'secret-in-plain-text';

/** A file's content may be about passwords; only a key that is one by its name, or a value by its form, counts. */
function configMap(object: KubeObject, found: Found<PlainTextRule>): void {
  for (const [key, value] of entries(object.data)) {
    const oneLine = !value.trim().includes('\n');
    if (oneLine ? isSecretLike(key, value) : holdsSecret(value)) found('secret-in-plain-text', join('data', key), `${key} holds a secret`);
  }
}

function env({ spec, path }: Container, found: Found<PlainTextRule>): void {
  for (const { item, index } of items(spec.env)) {
    const [name, value] = [text(item.name), text(item.value)];
    if (name !== undefined && value !== undefined && isSecretLike(name, value))
      found('secret-in-plain-text', `${path}.env[${index}].value`, `${name} holds a secret`);
  }
}

/** `--token=…`, and `--token` with what follows it. */
function args({ spec, path }: Container, list: 'args' | 'command', found: Found<PlainTextRule>): void {
  const words: unknown[] = Array.isArray(spec[list]) ? spec[list] : [];
  words.forEach((word, index) => {
    const [, option, given] = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(text(word) ?? '') ?? [];
    if (option === undefined) return;
    const next = text(words[index + 1]);
    const value = given ?? (next?.startsWith('-') ? undefined : next);
    const at = given === undefined ? index + 1 : index;
    if (value !== undefined && isSecretLike(option, value))
      found('secret-in-plain-text', `${path}.${list}[${at}]`, `--${option} is given a secret`);
  });
}
