/**
 * What the API server's no means to a person: the exit code, and what to do now. Pure. The words are the server's own; what
 * is added is the command that mends it.
 */
import type { ApiError, NoAnswer } from '../kube/error.ts';
import { reasonOf } from '../kube/log.ts';
import { BadInput, Ended, NotNow, Refused } from './output.ts';

/** The way an error ends a command; undefined when it is none of the API server's. */
export function endedBy(error: unknown): Ended | undefined {
  if (error instanceof Ended) return error;
  // By name: the classes need not be loaded for commands that ask no server.
  const { name } = error as Error;
  if (name === 'NoAnswer') return unanswered(error as NoAnswer);
  if (name === 'ApiError') return answered(error as ApiError);
  return undefined;
}

function unanswered(error: NoAnswer): Ended {
  return new NotNow(
    `${reasonOf(error)}. The API server does not answer: kubectl get --raw /readyz asks the same one; --kubeconfig and --context choose another.`,
    { cause: error },
  );
}

function answered(error: ApiError): Ended {
  const said = error.message;
  const options = { cause: error };
  if (error.status === 401) return new Refused(`${said}. Log in again: kubectl auth whoami says as whom you ask.`, options);
  if (error.status === 403) return new Refused(forbidden(said), options);
  if (error.status === 404 && error.details?.kind === 'namespaces') {
    const { name = '' } = error.details;
    return new BadInput(`there is no namespace ${name}. Name another with -n, or make it: kubectl create namespace ${name}`, options);
  }
  if (error.status === 404) return new BadInput(`${said}.`, options);
  // 422: a schema, a CEL rule or an admission policy. A policy's own sentence has its remedy.
  if (error.status === 422 || error.status === 400) return new BadInput(causesOf(error), options);
  return new NotNow(`${said}. Ask again in a moment.`, options);
}

function causesOf(error: ApiError): string {
  const causes = (error.details?.causes ?? []).flatMap(({ field, message }) =>
    message === undefined ? [] : [`${field === undefined || field === '' ? '' : `${field}: `}${message}.`],
  );
  return causes.length === 0 ? `${error.message}.` : causes.join('\n');
}

/**
 * The sentence of a ValidatingAdmissionPolicy, without the words around it
 * (apiserver/pkg/admission/plugin/policy/validating: `ValidatingAdmissionPolicy '…' with binding '…' denied request: …`).
 */
export function policySentence(message: string): string | undefined {
  return /denied request: ([\s\S]+)$/.exec(message)?.[1]?.trim();
}

/** `pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope` */
const CANNOT = /User "([^"]+)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)" (?:at the cluster scope|in the namespace "([^"]+)")/;

function forbidden(said: string): string {
  const [, user, verb, resource, group, namespace] = CANNOT.exec(said) ?? [];
  if (user === undefined || verb === undefined || resource === undefined) return `${policySentence(said) ?? said}`;
  return `${said}.\n${grantOf({ user, verb, resource: group === '' || group === undefined ? resource : `${resource}.${group}`, namespace })}`;
}

export interface Lacking {
  readonly user: string;
  readonly verb: string;
  /** `locks.gala.internal` */
  readonly resource: string;
  /** Undefined: in the whole cluster. */
  readonly namespace?: string;
}

/** What an administrator types so that the same command works. */
export function grantOf({ user, verb, resource, namespace }: Lacking): string {
  const kind = namespace === undefined ? 'clusterrole' : 'role';
  const name = `${verb}-${resource.replaceAll(/[./]/g, '-')}`;
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  const subject = account === null ? `--user='${user}'` : `--serviceaccount=${account[1]}:${account[2]}`;
  const where = namespace === undefined ? '' : ` -n ${namespace}`;
  return [
    'Somebody who may grants it with',
    `  kubectl create ${kind} ${name} --verb=${verb} --resource=${resource}${where}`,
    `  kubectl create ${kind}binding ${name}-${user.replaceAll(/[^a-z0-9.-]/gi, '-')} --${kind}=${name} ${subject}${where}`,
  ].join('\n');
}
