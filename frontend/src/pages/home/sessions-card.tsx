import {
  Badge,
  Box,
  Center,
  Group,
  Loader,
  Pagination,
  Stack,
  Text,
  ThemeIcon,
} from '@mantine/core';
import {
  IconDeviceDesktop,
  IconDeviceMobile,
  IconDevices,
  IconDeviceTablet,
} from '@tabler/icons-react';
import Bowser from 'bowser';
import { type JSX, useState } from 'react';
import type { Session } from '../../api/client';
import { useEndSession, useSessions } from '../../api/queries';
import { ActionButton } from '../../components/action-button';
import { Card } from '../../components/card';
import { keepFocus } from '../../components/keep-focus';
import { ProblemAlert } from '../../components/problem-alert';
import { useNotice } from '../../components/use-notice';
import { useSpeech } from '../../i18n/language';
import { fill } from '../../i18n/messages';
import { howLongAgo } from '../../i18n/when';

const PAGE_SIZE = 6;

const heading = (element: HTMLElement): Element | null | undefined =>
  element.closest('section')?.querySelector('h2');
const othersEnded = keepFocus<HTMLButtonElement>(heading);
/** Not to the next button, or who presses a key twice ends two. */
const ended = keepFocus<HTMLLIElement>(
  (row) => row.nextElementSibling ?? row.previousElementSibling ?? heading(row),
);

/** Where I am logged in, and the end of it. */
export function SessionsCard(): JSX.Element {
  const { t } = useSpeech();
  const notice = useNotice();
  const [page, setPage] = useState(1);
  const sessions = useSessions(page, PAGE_SIZE);
  const end = useEndSession();
  const { items = [], total = 0, page: shown = 1 } = sessions.data ?? {};
  const pages = Math.ceil(total / PAGE_SIZE);
  // The last one on the last page was ended.
  if (pages > 0 && page > pages) setPage(pages);
  return (
    <Card icon={IconDevices} title={t.sessions} hint={t.sessionsHint}>
      <Stack>
        <ProblemAlert error={sessions.error ?? end.error} />
        {sessions.isPending ? (
          <Center p="lg">
            <Loader aria-label={t.loading} />
          </Center>
        ) : (
          <Box component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
            {items.map((session, index) => (
              <SessionRow
                key={session.id}
                session={session}
                number={(shown - 1) * PAGE_SIZE + index + 1}
                end={end}
              />
            ))}
          </Box>
        )}
        {pages > 1 && (
          <Pagination
            total={pages}
            value={page}
            onChange={setPage}
            size="sm"
            aria-label={t.pages}
            getControlProps={(control) => ({
              'aria-label': control === 'previous' ? t.previous : t.next,
            })}
            getItemProps={(item) => ({ 'aria-label': String(item) })}
          />
        )}
        {total > 1 ? (
          <ActionButton
            variant="default"
            ref={othersEnded}
            working={end.isPending && end.variables === undefined}
            onClick={() => {
              end.mutate(undefined, {
                onSuccess: () => {
                  notice(t.othersEnded);
                },
              });
            }}
          >
            {t.endOthers}
          </ActionButton>
        ) : (
          <Text size="sm" c="dimmed">
            {t.nobodyElse}
          </Text>
        )}
      </Stack>
    </Card>
  );
}

const ICONS: Readonly<Record<string, typeof IconDeviceDesktop>> = {
  mobile: IconDeviceMobile,
  tablet: IconDeviceTablet,
};

function SessionRow({
  session,
  number,
  end,
}: {
  readonly session: Session;
  /** Its place among all of them: two of one device may have begun at once. */
  readonly number: number;
  readonly end: ReturnType<typeof useEndSession>;
}): JSX.Element {
  const { t, language } = useSpeech();
  const notice = useNotice();
  const { name, kind } = deviceOf(session.user_agent);
  const device = name ?? t.unknownDevice;
  const DeviceIcon = ICONS[kind] ?? IconDeviceDesktop;
  const when = howLongAgo(session.last_used_at, language);
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const since = time.format(new Date(session.created_at));
  return (
    <Box component="li" className="session" py="sm" tabIndex={-1} ref={ended}>
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <ThemeIcon variant="transparent" color="gray" size="lg" visibleFrom="xs">
          <DeviceIcon size={22} aria-hidden />
        </ThemeIcon>
        <Box flex={1} miw={0}>
          <Group gap="xs">
            <Text fw={600} className="break-anywhere">
              {device}
            </Text>
            {session.current && (
              <Badge variant="light" size="sm" tt="none">
                {t.thisDevice}
              </Badge>
            )}
          </Group>
          <Text size="sm" c="dimmed" className="break-anywhere">
            {[session.ip, fill(t.lastUsed, { when })].filter(Boolean).join(' · ')}
          </Text>
          <Text size="sm" c="dimmed">
            {fill(t.loggedIn, { when: since })}
          </Text>
        </Box>
        {!session.current && (
          <ActionButton
            variant="light"
            color="red"
            size="xs"
            aria-label={fill(t.endSessionOf, { number, device, when: since })}
            working={end.isPending && end.variables === session.id}
            onClick={() => {
              end.mutate(session.id, {
                onSuccess: () => {
                  notice(t.sessionEnded);
                },
              });
            }}
          >
            {t.endSession}
          </ActionButton>
        )}
      </Group>
    </Box>
  );
}

/** What a user agent says of itself, as far as anybody knows it. */
function deviceOf(userAgent: string | null): { name: string | undefined; kind: string } {
  if (userAgent === null || userAgent === '') return { name: undefined, kind: '' };
  const { browser, os, platform } = Bowser.parse(userAgent);
  const name = [browser.name, os.name].filter(Boolean).join(' · ');
  // Programs call themselves what they like: curl/8.5.0.
  return { name: name === '' ? userAgent.slice(0, 60) : name, kind: platform.type ?? '' };
}
