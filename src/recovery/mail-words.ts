import type { MailKind, MailLanguage } from '../mail/mail.entity';

/** What a mail says. `{service}` is where the page is, `{username}` whose account it is about. */
export interface MailWords {
  readonly subject: string;
  /** What it is about. */
  readonly about: string;
  /** On the link that looks like a button. */
  readonly button: string;
  /** What the link is good for, and how long. */
  readonly link: string;
  /** Before the code that is typed instead. */
  readonly code?: string;
  /** What to do if it was somebody else. */
  readonly notYou: string;
}

/** What all mails say in a language. */
interface CommonWords {
  readonly hello: string;
  readonly helloUser: string;
  /** Before the link in full, for who cannot press the button. */
  readonly orOpen: string;
  readonly noReply: string;
}

export const COMMON_WORDS: Readonly<Record<MailLanguage, CommonWords>> = {
  ko: {
    hello: '안녕하세요.',
    helloUser: '{username} 님, 안녕하세요.',
    orOpen: '버튼이 눌리지 않으면 이 주소를 브라우저에 붙여 넣으세요.',
    noReply: '{service}에서 자동으로 보낸 메일이며, 회신은 확인하지 않습니다.',
  },
  en: {
    hello: 'Hello,',
    helloUser: 'Hello {username},',
    orOpen: 'If the button does not work, paste this address into your browser:',
    noReply: 'Sent automatically by {service}; nobody reads replies.',
  },
};

export const MAIL_WORDS: Readonly<Record<MailKind, Readonly<Record<MailLanguage, MailWords>>>> = {
  reset: {
    ko: {
      subject: '[{service}] 비밀번호 재설정',
      about: '{service} 계정의 비밀번호를 새로 정할 수 있도록 이 메일을 보내 드립니다.',
      button: '비밀번호 재설정',
      link: '링크는 1시간 동안 한 번만 사용할 수 있습니다.',
      code: '링크 대신 코드를 입력해도 됩니다. 코드는 10분 동안 사용할 수 있습니다.',
      notYou:
        '직접 요청하지 않으셨다면 이 메일을 무시하세요. 링크를 사용하지 않는 한 아무것도 바뀌지 않습니다. 링크와 코드는 누구에게도 알려 주지 마세요.',
    },
    en: {
      subject: 'Choose a new password for {service}',
      about: 'With this mail you can choose a new password for your account at {service}.',
      button: 'Choose a new password',
      link: 'The link works once, within 1 hour.',
      code: 'Or type this code instead, within 10 minutes:',
      notYou:
        'If you did not ask for this, ignore this mail: nothing changes unless the link is used. Give the link and the code to nobody.',
    },
  },
  verify: {
    ko: {
      subject: '[{service}] 이메일 주소 확인',
      about: '{service}에 이 이메일 주소로 만든 계정이 있습니다. 본인의 주소인지 확인해 주세요.',
      button: '이메일 주소 확인',
      link: '링크는 24시간 동안 한 번만 사용할 수 있습니다.',
      code: '링크 대신 코드를 입력해도 됩니다. 코드는 10분 동안 사용할 수 있습니다.',
      notYou:
        '직접 가입하지 않으셨다면 이 메일을 무시하세요. 링크를 열어 확인하면 이 주소가 본인의 것임이 증명되어 계정이 본인의 것이 되고, 계정을 만든 사람은 더 이상 로그인할 수 없습니다. 코드는 누구에게도 알려 주지 마세요.',
    },
    en: {
      subject: 'Confirm your email address for {service}',
      about:
        'An account at {service} was made with this email address. Please confirm that it is yours.',
      button: 'Confirm the address',
      link: 'The link works once, within 24 hours.',
      code: 'Or type this code instead, within 10 minutes:',
      notYou:
        'If you did not sign up, ignore this mail. If you open the link and confirm, that shows the address is yours: the account becomes yours, and whoever made it can no longer log in. Give the code to nobody.',
    },
  },
  change: {
    ko: {
      subject: '[{service}] 새 이메일 주소 확인',
      about:
        '{service} 계정의 이메일 주소를 이 주소로 바꾸려고 합니다. 본인의 주소인지 확인해 주세요. 확인하면 주소가 바뀝니다.',
      button: '새 주소 확인',
      link: '링크는 24시간 동안 한 번만 사용할 수 있습니다.',
      code: '링크 대신 코드를 입력해도 됩니다. 코드는 10분 동안 사용할 수 있습니다.',
      notYou:
        '직접 요청하지 않으셨다면 이 메일을 무시하세요. 계정에 로그인되어 있거나 비밀번호를 아는 사람만 확인할 수 있습니다. 링크와 코드는 누구에게도 알려 주지 마세요.',
    },
    en: {
      subject: 'Confirm your new email address for {service}',
      about:
        'An account at {service} is to have this email address. Please confirm that it is yours; then the address changes.',
      button: 'Confirm the new address',
      link: 'The link works once, within 24 hours.',
      code: 'Or type this code instead, within 10 minutes:',
      notYou:
        'If you did not ask for this, ignore this mail: it takes a login of the account, or its password, to confirm. Give the link and the code to nobody.',
    },
  },
  changing: {
    ko: {
      subject: '[{service}] 이메일 주소 변경 요청',
      about:
        '{service} 계정의 이메일 주소를 다른 주소로 바꾸려는 요청이 있었습니다. 새 주소가 확인되면 계정의 주소가 바뀝니다. 직접 요청하셨다면 하실 일이 없습니다.',
      button: '변경 막기',
      link: '직접 요청하지 않으셨다면 이 링크로 변경을 막거나 되돌리세요. 이 주소가 계정의 주소로 유지되고, 모든 로그인이 끝나며, 비밀번호를 새로 정하는 메일을 보내 드립니다.',
      notYou:
        '링크는 7일 동안 한 번만 사용할 수 있습니다. 요청한 사람은 비밀번호를 알고 있었으므로, 본인이 아니라면 서둘러 주세요.',
    },
    en: {
      subject: 'Your email address at {service} is about to change',
      about:
        'Somebody asked to give your account at {service} another email address. Once that is confirmed, the account has it. If this was you, there is nothing to do.',
      button: 'Stop the change',
      link: 'If it was not you, this link stops or undoes the change: the account keeps this address, all logins end, and you get a mail to choose a new password.',
      notYou:
        'The link works once, within 7 days. Whoever asked knew your password, so do not wait if it was not you.',
    },
  },
};
