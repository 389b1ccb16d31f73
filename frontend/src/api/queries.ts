import {
  MutationCache,
  QueryCache,
  QueryClient,
  skipToken,
  useMutation,
  type UseMutationResult,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import type { components } from './schema';
import { api, form, type SessionPage, type User } from './client';
import { dataOf, Problem } from './problem';

type Schemas = components['schemas'];

const ME = ['me'];
const SESSIONS = ['sessions'];
const FAREWELL = ['farewell'];

/** How soon this page notices that its login was ended elsewhere, while it is being looked at. */
const NOTICE_MS = 5000;

/** Why nobody is logged in, for whoever was or is about to be. */
export type Farewell = 'loggedOut' | 'ended' | 'deleted' | 'created' | 'unconfirmed';

/** Other tabs of this browser, which share its cookie: they are told a farewell, or to ask anew. */
const otherTabs = new BroadcastChannel('login');
const ASK = 'ask';

/** Nobody is logged in any more: what was known of whoever was is forgotten. */
function forget(client: QueryClient, why: Farewell): void {
  void client.cancelQueries();
  if (client.getQueryData(ME)) client.setQueryData(FAREWELL, why);
  client.setQueryData(ME, null);
  client.removeQueries({ queryKey: SESSIONS });
}

/** Here and in the other tabs, nobody is logged in any more, and this is why. */
function sayFarewell(client: QueryClient, why: Farewell): void {
  forget(client, why);
  otherTabs.postMessage(why);
}

/** 401 to anything but a login says that this browser is not logged in any more. */
function onError(client: () => QueryClient) {
  return (error: unknown): void => {
    if (error instanceof Problem && error.status === 401) forget(client(), 'ended');
  };
}

/** State of the server, as the page knows it. */
export function createQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: onError(() => client) }),
    mutationCache: new MutationCache({
      onError: (error, _variables, _result, { meta }) => {
        if (meta?.['isLogin'] !== true) onError(() => client)(error);
      },
    }),
    defaultOptions: {
      // A browser that thinks it is offline may be wrong, and must not do later what was asked for now.
      mutations: { networkMode: 'always' },
      // What the service has answered stands; what it could not answer may pass.
      queries: {
        networkMode: 'always',
        retry: (failures, error) =>
          failures < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500),
      },
    },
  });
  otherTabs.onmessage = ({ data }: MessageEvent<Farewell | typeof ASK>) => {
    if (data !== ASK) {
      forget(client, data);
      // It may have noticed by itself already, and not known why.
      client.setQueryData<Farewell>(FAREWELL, data);
    }
    void client.invalidateQueries();
  };
  return client;
}

/** Who is logged in: nobody is `null`. */
export function useMe(): UseQueryResult<User | null> {
  const client = useQueryClient();
  return useQuery({
    queryKey: ME,
    queryFn: async ({ signal }) => {
      try {
        return await dataOf(api.GET('/user/me', { signal }));
      } catch (error) {
        // An answer that nobody waits for any more may be about a login of before.
        if (signal.aborted || !(error instanceof Problem) || error.status !== 401) throw error;
        forget(client, 'ended');
        return null;
      }
    },
    refetchInterval: ({ state }) => (state.data ? NOTICE_MS : false),
    refetchOnWindowFocus: 'always',
    // Or each part of the page that asks would begin anew, and show nothing meanwhile.
    retryOnMount: false,
  });
}

/** Why nobody is logged in any more; `null` if nobody was. */
export function useFarewell(): Farewell | null {
  const { data = null } = useQuery<Farewell | null>({ queryKey: FAREWELL, queryFn: skipToken });
  return data;
}

export function useSessions(page: number, size: number): UseQueryResult<SessionPage> {
  return useQuery({
    queryKey: [...SESSIONS, page, size],
    queryFn: () => dataOf(api.GET('/user/sessions', { params: { query: { page, size } } })),
    placeholderData: (before) => before,
    refetchInterval: 2 * NOTICE_MS,
  });
}

export type Mutation<Body> = UseMutationResult<unknown, Error, Body>;

/** What was done here may have changed who is logged in: asks anew, and in the other tabs. */
export async function lookAgain(client: QueryClient): Promise<void> {
  otherTabs.postMessage(ASK);
  await client.invalidateQueries({ queryKey: ME });
  // Whoever has done it knows why.
  client.setQueryData(FAREWELL, null);
}

export function useSignUp(): Mutation<Schemas['CreateUserDto']> {
  const client = useQueryClient();
  const navigate = useNavigate();
  const logIn = useLogIn();
  return useMutation({
    mutationFn: async (body: Schemas['CreateUserDto']) => {
      await dataOf(api.POST('/user/create', { body }));
      // Whoever has just chosen a password is not asked for it again, unless that fails: the account
      // is there all the same.
      try {
        await logIn.mutateAsync({ username: body.username, password: body.password1 });
      } catch (error) {
        client.setQueryData<Farewell>(FAREWELL, isUnconfirmed(error) ? 'unconfirmed' : 'created');
        await navigate('/login');
      }
    },
  });
}

/** Whether a login was refused because the address of the account has to be confirmed first. */
export function isUnconfirmed(error: unknown): boolean {
  return error instanceof Problem && error.status === 403 && error.code === 'invalid_grant';
}

export function useLogIn(): Mutation<Pick<Schemas['LoginDto'], 'username' | 'password'>> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Pick<Schemas['LoginDto'], 'username' | 'password'>) =>
      dataOf(api.POST('/user/session', { body, ...form })),
    // Its 401 is about the password.
    meta: { isLogin: true },
    onSuccess: () => {
      return lookAgain(client);
    },
  });
}

export function useLogOut(): Mutation<void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api.DELETE('/user/session')),
    onSuccess: () => {
      sayFarewell(client, 'loggedOut');
    },
  });
}

/** Ends one login, or, without an id, every other one. */
export function useEndSession(): Mutation<string | undefined> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string | undefined) => {
      if (id === undefined) return dataOf(api.DELETE('/user/sessions'));
      try {
        await dataOf(api.DELETE('/user/sessions/{id}', { params: { path: { id } } }));
        return;
      } catch (error) {
        // It was over already, which is what was wanted.
        if (error instanceof Problem && error.status === 404) return undefined;
        throw error;
      }
    },
    onSettled: () => client.invalidateQueries({ queryKey: SESSIONS }),
  });
}

export function useChangePassword(): Mutation<Schemas['ChangePasswordDto']> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['ChangePasswordDto']) =>
      dataOf(api.POST('/user/password', { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: SESSIONS }),
  });
}

export function useRename(): Mutation<Schemas['RenameDto']> {
  const client = useQueryClient();
  return useMutation({
    // Whoever asks meanwhile does so with a token that dies.
    onMutate: () => client.cancelQueries(),
    mutationFn: (body: Schemas['RenameDto']) => dataOf(api.PATCH('/user/me', { body })),
    onSuccess: () => {
      otherTabs.postMessage(ASK);
      return client.invalidateQueries();
    },
  });
}

export function useDeleteAccount(): Mutation<Schemas['DeleteAccountDto']> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['DeleteAccountDto']) => dataOf(api.POST('/user/delete', { body })),
    onSuccess: () => {
      sayFarewell(client, 'deleted');
    },
  });
}
