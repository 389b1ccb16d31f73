/**
 * Everything the API says to a person, in three catalogues. `reference` is what a client hears that
 * names no language: the words of the FastAPI backend, mixed as they are, and new ones in Korean.
 */
interface Wording {
  readonly reference: string;
  readonly ko: string;
  readonly en: string;
}

export type Catalogue = keyof Wording;

/** What stands alone in `detail`. */
export const MESSAGES = {
  bodyUnreadable: {
    reference: 'There was an error parsing the body',
    ko: '요청 본문을 읽을 수 없습니다.',
    en: 'There was an error parsing the body',
  },
  badRequest: {
    reference: 'Bad Request',
    ko: '잘못된 요청입니다.',
    en: 'Bad Request',
  },
  incorrectCredentials: {
    reference: 'Incorrect username or password',
    ko: '사용자 이름 또는 비밀번호가 올바르지 않습니다.',
    en: 'Incorrect username or password',
  },
  notAuthenticated: {
    reference: 'Not authenticated',
    ko: '로그인이 필요합니다.',
    en: 'Not authenticated',
  },
  invalidToken: {
    reference: 'Could not validate credentials',
    ko: '인증 정보가 올바르지 않거나 만료되었습니다. 다시 로그인하세요.',
    en: 'Could not validate credentials',
  },
  invalidRefreshToken: {
    reference: '갱신 토큰이 올바르지 않거나 만료되었습니다. 다시 로그인하세요.',
    ko: '갱신 토큰이 올바르지 않거나 만료되었습니다. 다시 로그인하세요.',
    en: 'This refresh token is not valid, has expired or was used before: log in again.',
  },
  unsupportedGrantType: {
    reference: 'grant_type은 password 또는 refresh_token이어야 합니다.',
    ko: 'grant_type은 password 또는 refresh_token이어야 합니다.',
    en: 'The grant_type must be password or refresh_token.',
  },
  crossOrigin: {
    reference: '다른 출처의 페이지에서는 보낼 수 없는 요청입니다.',
    ko: '다른 출처의 페이지에서는 보낼 수 없는 요청입니다.',
    en: 'This request must come from a page of the same origin.',
  },
  notFound: {
    reference: 'Not Found',
    ko: '찾을 수 없습니다.',
    en: 'Not Found',
  },
  methodNotAllowed: {
    reference: 'Method Not Allowed',
    ko: '허용되지 않는 메서드입니다. Allow 헤더를 확인하세요.',
    en: 'Method Not Allowed',
  },
  requestTimeout: {
    reference: '요청이 제시간에 도착하지 않았습니다.',
    ko: '요청이 제시간에 도착하지 않았습니다.',
    en: 'The request did not arrive in time.',
  },
  userExists: {
    reference: '이미 존재하는 사용자입니다.',
    ko: '이미 존재하는 사용자입니다.',
    en: 'A user with this username or email address already exists.',
  },
  refusedByData: {
    reference: '함께 쓰는 데이터베이스의 다른 데이터 때문에 할 수 없습니다. 관리자에게 문의하세요.',
    ko: '함께 쓰는 데이터베이스의 다른 데이터 때문에 할 수 없습니다. 관리자에게 문의하세요.',
    en: 'Other data in the same database does not allow this: ask whoever runs the service.',
  },
  bodyTooLarge: {
    reference: '요청 본문이 너무 큽니다. 64 kB까지 보낼 수 있습니다.',
    ko: '요청 본문이 너무 큽니다. 64 kB까지 보낼 수 있습니다.',
    en: 'The request body is too large: at most 64 kB are accepted.',
  },
  unsupportedEncoding: {
    reference: '지원하지 않는 문자 집합 또는 압축 방식입니다. UTF-8로 보내세요.',
    ko: '지원하지 않는 문자 집합 또는 압축 방식입니다. UTF-8로 보내세요.',
    en: 'This charset or content encoding is not supported: send UTF-8.',
  },
  expectationFailed: {
    reference: 'Expectation Failed',
    ko: 'Expect 헤더의 요구를 들어줄 수 없습니다.',
    en: 'Expectation Failed',
  },
  headersTooLarge: {
    reference: '요청 헤더가 너무 큽니다.',
    ko: '요청 헤더가 너무 큽니다.',
    en: 'The request headers are too large.',
  },
  internal: {
    reference: 'Internal Server Error',
    ko: '서버 오류가 발생했습니다. 문의할 때 X-Request-Id 헤더의 값을 알려 주세요.',
    en: 'Internal Server Error',
  },
  overloaded: {
    reference: '지금은 요청이 너무 많습니다. 잠시 후 다시 시도하세요.',
    ko: '지금은 요청이 너무 많습니다. 잠시 후 다시 시도하세요.',
    en: 'There is more to do right now than can be done: try again in a moment.',
  },
  tooManyRequests: {
    reference: '요청이 너무 많습니다. 나중에 다시 시도하세요.',
    ko: '요청이 너무 많습니다. 나중에 다시 시도하세요.',
    en: 'Too many requests: try again later.',
  },
  tooManyPasswords: {
    reference:
      '틀린 비밀번호가 너무 많았습니다. 나중에 다시 시도하거나, 전에 로그인했던 곳에서 시도하세요.',
    ko: '틀린 비밀번호가 너무 많았습니다. 나중에 다시 시도하거나, 전에 로그인했던 곳에서 시도하세요.',
    en: 'Too many wrong passwords: try again later, or from where you have logged in before.',
  },
  noMail: {
    reference: '이 서비스는 메일을 보내지 않습니다. 관리자에게 문의하세요.',
    ko: '이 서비스는 메일을 보내지 않습니다. 관리자에게 문의하세요.',
    en: 'This service sends no mail: ask whoever runs it.',
  },
  emailNotVerified: {
    reference:
      '이메일 주소를 먼저 확인해야 합니다. 받은 메일의 링크를 열거나, 메일을 다시 요청하세요.',
    ko: '이메일 주소를 먼저 확인해야 합니다. 받은 메일의 링크를 열거나, 메일을 다시 요청하세요.',
    en: 'The email address has to be confirmed first: open the link in the mail that was sent there, or ask for another.',
  },
  clientGone: {
    reference: 'Client Closed Request',
    ko: '클라이언트가 연결을 끊었습니다.',
    en: 'Client Closed Request',
  },
  unavailable: {
    reference: '지금은 서비스를 이용할 수 없습니다. 잠시 후 다시 시도하세요.',
    ko: '지금은 서비스를 이용할 수 없습니다. 잠시 후 다시 시도하세요.',
    en: 'The service is unavailable right now: try again in a moment.',
  },
} satisfies Record<string, Wording>;

export type MessageName = keyof typeof MESSAGES;

interface FieldWording extends Wording {
  /** pydantic v1's name for the kind of error. */
  readonly type: string;
  /** Member of `ctx` that holds the rule's parameter; `{it}` stands for it in the words. */
  readonly parameter?: string;
}

/** What stands at a field, in a list in `detail`. */
export const FIELD_MESSAGES = {
  required: {
    type: 'value_error.missing',
    reference: 'field required',
    ko: '필수 항목입니다.',
    en: 'field required',
  },
  notNull: {
    type: 'type_error.none.not_allowed',
    reference: 'none is not an allowed value',
    ko: 'null은 사용할 수 없습니다.',
    en: 'none is not an allowed value',
  },
  text: {
    type: 'type_error.str',
    reference: 'str type expected',
    ko: '문자열 하나여야 합니다.',
    en: 'str type expected',
  },
  object: {
    type: 'type_error.dict',
    reference: 'value is not a valid dict',
    ko: 'JSON 객체여야 합니다.',
    en: 'value is not a valid dict',
  },
  json: {
    type: 'value_error.jsondecode',
    reference: 'JSON 형식이 올바르지 않습니다.',
    ko: 'JSON 형식이 올바르지 않습니다.',
    en: 'This is not valid JSON.',
  },
  notBlank: {
    type: 'value_error',
    reference: '빈 값은 허용되지 않습니다.',
    ko: '빈 값은 허용되지 않습니다.',
    en: 'This must not be blank.',
  },
  passwordsMatch: {
    type: 'value_error',
    reference: '비밀번호가 일치하지 않습니다',
    ko: '비밀번호가 일치하지 않습니다.',
    en: 'The passwords do not match.',
  },
  email: {
    type: 'value_error.email',
    reference: 'value is not a valid email address',
    ko: '올바른 이메일 주소가 아닙니다.',
    en: 'value is not a valid email address',
  },
  minLength: {
    type: 'value_error.any_str.min_length',
    parameter: 'limit_value',
    reference: 'ensure this value has at least {limit_value} characters',
    ko: '{limit_value}자 이상이어야 합니다.',
    en: 'ensure this value has at least {limit_value} characters',
  },
  maxLength: {
    type: 'value_error.any_str.max_length',
    parameter: 'limit_value',
    reference: 'ensure this value has at most {limit_value} characters',
    ko: '{limit_value}자 이하여야 합니다.',
    en: 'ensure this value has at most {limit_value} characters',
  },
  maxBytes: {
    type: 'value_error.any_str.max_length',
    parameter: 'limit_value',
    reference: '{limit_value}바이트 이하여야 합니다. 한글은 한 글자가 3바이트입니다.',
    ko: '{limit_value}바이트 이하여야 합니다. 한글은 한 글자가 3바이트입니다.',
    en: 'ensure this value has at most {limit_value} bytes; letters beyond ASCII have two to four',
  },
  printable: {
    type: 'value_error',
    reference: '제어 문자나 보이지 않는 문자는 사용할 수 없습니다.',
    ko: '제어 문자나 보이지 않는 문자는 사용할 수 없습니다.',
    en: 'This must not contain control, format or unassigned characters.',
  },
  oneScript: {
    type: 'value_error',
    reference:
      '서로 다른 문자 체계의 글자를 섞어 쓸 수 없습니다. 한글과 로마자처럼 함께 쓰는 글자만 사용하세요.',
    ko: '서로 다른 문자 체계의 글자를 섞어 쓸 수 없습니다. 한글과 로마자처럼 함께 쓰는 글자만 사용하세요.',
    en: 'This mixes letters of scripts that are easily taken for one another, such as Latin and Cyrillic: use those of one.',
  },
  noLookalike: {
    type: 'value_error',
    reference:
      '영문자나 숫자처럼 보이지만 다른 문자로 된 이름입니다. 키보드의 영문자와 숫자로 입력하세요.',
    ko: '영문자나 숫자처럼 보이지만 다른 문자로 된 이름입니다. 키보드의 영문자와 숫자로 입력하세요.',
    en: 'This looks like plain letters a to z and digits, but is written with others: write it with those.',
  },
  storable: {
    type: 'value_error',
    reference: 'NUL 문자나 잘못된 유니코드는 사용할 수 없습니다.',
    ko: 'NUL 문자나 잘못된 유니코드는 사용할 수 없습니다.',
    en: 'This must not contain NUL or malformed Unicode.',
  },
  uncommonPassword: {
    type: 'value_error',
    reference: '너무 흔한 비밀번호입니다. 다른 비밀번호를 사용하세요.',
    ko: '너무 흔한 비밀번호입니다. 다른 비밀번호를 사용하세요.',
    en: 'This password is too common: choose another one.',
  },
  incorrectPassword: {
    type: 'value_error',
    reference: '비밀번호가 올바르지 않습니다.',
    ko: '비밀번호가 올바르지 않습니다.',
    en: 'This is not the password of the account.',
  },
  mailToken: {
    type: 'value_error',
    reference: '링크나 코드가 올바르지 않거나, 이미 사용했거나, 만료되었습니다. 새로 요청하세요.',
    ko: '링크나 코드가 올바르지 않거나, 이미 사용했거나, 만료되었습니다. 새로 요청하세요.',
    en: 'This link or code is not valid, was used already or has expired: ask for another.',
  },
  integer: {
    type: 'type_error.integer',
    reference: 'value is not a valid integer',
    ko: '정수여야 합니다.',
    en: 'value is not a valid integer',
  },
  atLeast: {
    type: 'value_error.number.not_ge',
    parameter: 'limit_value',
    reference: 'ensure this value is greater than or equal to {limit_value}',
    ko: '{limit_value} 이상이어야 합니다.',
    en: 'ensure this value is greater than or equal to {limit_value}',
  },
  atMost: {
    type: 'value_error.number.not_le',
    parameter: 'limit_value',
    reference: 'ensure this value is less than or equal to {limit_value}',
    ko: '{limit_value} 이하여야 합니다.',
    en: 'ensure this value is less than or equal to {limit_value}',
  },
  boolean: {
    type: 'type_error.bool',
    reference: 'value could not be parsed to a boolean',
    ko: 'true 또는 false여야 합니다.',
    en: 'value could not be parsed to a boolean',
  },
  grantType: {
    type: 'value_error.str.regex',
    parameter: 'pattern',
    reference: 'string does not match regex "{pattern}"',
    ko: '"{pattern}"만 사용할 수 있습니다.',
    en: 'string does not match regex "{pattern}"',
  },
} satisfies Record<string, FieldWording>;

export type FieldMessageName = keyof typeof FIELD_MESSAGES;
