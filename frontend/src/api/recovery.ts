import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { dataOf } from './problem';
import { lookAgain, type Mutation, useMe } from './queries';
import type { components } from './schema';

type Schemas = components['schemas'];

export function useForgotPassword(): Mutation<Schemas['ForgotPasswordDto']> {
  return useMutation({
    mutationFn: (body: Schemas['ForgotPasswordDto']) =>
      dataOf(api.POST('/user/password/forgot', { body })),
  });
}

/** @param bodyOf what is sent, given what is typed */
export function useResetPassword<Typed>(
  bodyOf: (typed: Typed) => Schemas['ResetPasswordDto'],
): Mutation<Typed> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (typed: Typed) => dataOf(api.POST('/user/password/reset', { body: bodyOf(typed) })),
    // Its logins are over, which may have been here.
    onSuccess: () => lookAgain(client),
  });
}

/**
 * Whom the service is to see: who is logged in here, or nobody. It refuses a cookie that is left of a
 * login that is over.
 */
function useCredentials(): { credentials: RequestCredentials } {
  const { data: me } = useMe();
  return { credentials: me ? 'same-origin' : 'omit' };
}

/**
 * Confirms an address.
 *
 * @param bodyOf what is sent, given what is typed
 */
export function useVerifyEmail<Typed = void>(
  bodyOf: (typed: Typed) => Schemas['VerifyEmailDto'],
): Mutation<Typed> {
  const client = useQueryClient();
  const credentials = useCredentials();
  return useMutation({
    mutationFn: (typed: Typed) =>
      dataOf(api.POST('/user/email/verify', { body: bodyOf(typed), ...credentials })),
    onSuccess: () => lookAgain(client),
  });
}

export function useResendVerification<Body extends Schemas['ResendDto']>(): Mutation<Body> {
  const credentials = useCredentials();
  return useMutation({
    mutationFn: (body: Body) =>
      dataOf(api.POST('/user/email/verify/resend', { body, ...credentials })),
  });
}

export function useChangeEmail(): Mutation<Schemas['ChangeEmailDto']> {
  return useMutation({
    mutationFn: (body: Schemas['ChangeEmailDto']) => dataOf(api.POST('/user/email', { body })),
  });
}

export function useRevertEmail(): Mutation<{ token: string }> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { token: string }) => dataOf(api.POST('/user/email/revert', { body })),
    onSuccess: () => lookAgain(client),
  });
}
