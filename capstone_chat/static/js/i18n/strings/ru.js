/** Русский. */

import { plurals } from "../plurals.js";

const plural = plurals("ru");

export const strings = {
  appName: "Tornado Chat",

  connecting: "Соединение…",
  reconnecting: "Восстанавливаем соединение…",
  tryNow: "Повторить",
  outdated: "Новая версия",
  reload: "Обновить",
  refused: "Соединение закрыто.",

  // Список

  you: "Вы",
  deletedUser: "Удалённый пользователь",
  members: (n) => plural(n, { one: "{n} участник", few: "{n} участника", many: "{n} участников", other: "{n} участника" }),
  join: "Вступить",
  joinNamed: (title) => `Вступить: ${title}`,
  joinQuestion: (title) => `Вступить в группу «${title}»?`,
  showMore: "Показать ещё",
  yourChats: "Ваши чаты",
  contacts: "Контакты",
  people: "Люди",
  groupsToJoin: "Открытые группы",
  publicGroups: "Открытые группы",
  noPublicGroups: "Открытых групп пока нет.",
  browseGroups: "Все открытые группы",
  open: "Открыть",
  openNamed: (title) => `Открыть: ${title}`,
  found: (n) =>
    n === 0 ? "Ничего не найдено"
    : plural(n, { one: "Найдено: {n}", few: "Найдено: {n}", many: "Найдено: {n}", other: "Найдено: {n}" }),
  nothingFound: (query) => `По запросу «${query}» ничего не найдено.`,
  findHint: "Чтобы найти человека, введите имя пользователя целиком.",
  noChats: "Пока нет чатов",
  noChatsHint: "Вступите в группу, создайте свою или добавьте знакомого в контакты.",
  unread: (n, more) =>
    more ? plural(n, { one: "Не менее {n} непрочитанного сообщения", other: "Не менее {n} непрочитанных сообщений" })
    : plural(n, {
      one: "{n} непрочитанное сообщение", few: "{n} непрочитанных сообщения",
      many: "{n} непрочитанных сообщений", other: "{n} непрочитанного сообщения",
    }),
  draft: "Черновик:",

  // Люди

  online: "В сети",
  blocked: "Заблокирован",
  owner: "Владелец",
  membersTitle: "Участники",
  findMember: "Найти участника",
  aboutPerson: "О собеседнике",
  write: "Написать сообщение",
  addContact: "Добавить контакт",
  addContactHint: "Спросите имя, под которым человек входит в чат.",
  contactAdded: "Контакт добавлен.",
  addToContacts: "Добавить в контакты",
  removeContact: "Удалить из контактов",
  block: "Заблокировать",
  blockQuestion: (name) => `Заблокировать пользователя ${name}?`,
  blockHint: "Вы не сможете писать друг другу, и собеседник не увидит, что вы в сети. В общих группах вы по-прежнему видите сообщения друг друга.",
  unblock: "Разблокировать",
  youBlocked: (name) => `Вы заблокировали пользователя ${name}. Вы не можете писать друг другу.`,
  peerDeleted: "Этот аккаунт удалён. Сообщения остаются.",
  userName: "Имя пользователя",
  nobody: "Пользователя с таким именем нет.",
  add: "Добавить",
  addNamed: (name) => `Добавить в контакты: ${name}`,

  // Группы

  createGroup: "Создать группу",
  create: "Создать",
  editGroup: "Изменить группу",
  groupName: "Название",
  about: "О чём группа?",
  mayStayEmpty: "(необязательно)",
  whoCanJoin: "Кто может вступить?",
  publicGroup: "Все",
  publicHint: "Любой может найти группу и вступить в неё.",
  privateGroup: "Только приглашённые",
  privateHint: "В поиске группы нет. Участников приглашаете вы.",
  isPublic: "Открытая группа: любой может найти её и вступить",
  isPrivate: "Закрытая группа: участников добавляет владелец",
  addMember: "Добавить участника",
  severalNames: "Несколько имён разделяйте пробелами.",
  removeMember: "Исключить из группы",
  removeQuestion: (name) => `Исключить пользователя ${name} из группы?`,
  removeHint: "Этот человек больше не сможет читать и писать здесь.",
  makeOwner: "Сделать владельцем",
  makeOwnerQuestion: (name) => `Передать группу пользователю ${name}?`,
  makeOwnerHint: "Вы останетесь в группе обычным участником и не сможете её менять.",
  leave: "Покинуть группу",
  leaveQuestion: (title) => `Покинуть группу «${title}»?`,
  leaveHint: "Вы перестанете получать её сообщения.",
  leaveOwnerHint: "Группа перейдёт к участнику, который состоит в ней дольше всех.",
  gone: (title) => `Вы больше не состоите в группе «${title}».`,
  noSuchConversation: "Такого чата нет, или вы в нём не участвуете.",

  invitations: "Приглашения",
  invitedBy: (name) => `Вас приглашает ${name}`,
  accept: "Принять",
  acceptNamed: (title) => `Принять приглашение: ${title}`,
  decline: "Отклонить",
  declineNamed: (title) => `Отклонить приглашение: ${title}`,
  invitationGone: "Этого приглашения больше нет.",
  invited: "Приглашение",
  invitationSent: (name) => `Приглашение отправлено: @${name}.`,
  withdraw: "Отозвать приглашение",
  withdrawNamed: (name) => `Отозвать приглашение: ${name}`,
  inviteLink: "Ссылка-приглашение",
  inviteLinkHint: "Пока ссылка действует, любой, у кого она есть, может вступить в группу.",
  linkLifetime: "Сколько действует ссылка?",
  days: (n) => plural(n, { one: "{n} день", few: "{n} дня", many: "{n} дней", other: "{n} дня" }),
  createLink: "Создать ссылку",
  validUntil: (when) => `Действует до: ${when}`,
  revokeLink: "Отозвать ссылку",
  linkRevoked: "Ссылка больше не действует.",

  // Сообщения

  newMessages: "Новые сообщения",
  latest: "К последнему сообщению",
  latestUnread: (n, more) =>
    more ? `К последнему сообщению, новых не менее ${plural(n, { other: "{n}" })}`
    : `К последнему сообщению, ${plural(n, { one: "{n} новое", few: "{n} новых", many: "{n} новых", other: "{n} нового" })}`,
  loadingOlder: "Загружаем более ранние сообщения…",
  loading: "Загрузка…",
  beginning: "Это начало группы. Поздоровайтесь или скажите друзьям её название, чтобы они её нашли.",
  beginningPrivate: (name) => `Это начало вашего чата с пользователем ${name}. Его видите только вы двое.`,
  beginningClosed: "Это начало группы. Сообщения видят только участники.",

  typing: (names) =>
    names.length === 0 ? ""
    : names.length === 1 ? `${names[0]} печатает…`
    : names.length === 2 ? `${names[0]} и ${names[1]} печатают…`
    : "Несколько человек печатают…",

  pending: "Отправляется",
  sent: "Отправлено",
  seen: "Прочитано",
  failed: "Не отправлено",
  retry: "Повторить",
  discard: "Удалить",
  failure: {
    text_empty: "Сообщение пустое.",
    text_invalid: "В сообщении есть недопустимые символы.",
    text_too_long: "Сообщение слишком длинное.",
    not_found: "Вы больше не состоите в этой группе.",
    blocked: "Вы не можете писать друг другу.",
    user_deleted: "Этот аккаунт удалён.",
    message_deleted: "Сообщение уже удалено.",
    rate_limited: "Слишком много сообщений подряд.",
    unavailable: "Сервер не смог сохранить сообщение.",
    conflict: "Это сообщение конфликтует с другим.",
  },
  remaining: (n) =>
    n < 0
      ? plural(-n, {
        one: "{n} лишний символ", few: "{n} лишних символа", many: "{n} лишних символов", other: "{n} лишнего символа",
      })
      : plural(n, {
        one: "Остался {n} символ", few: "Осталось {n} символа", many: "Осталось {n} символов", other: "Осталось {n} символа",
      }),

  deleted: "Сообщение удалено",
  messageMenu: "Меню сообщения",
  reply: "Ответить",
  inReplyTo: "Ответ на сообщение:",
  edit: "Изменить",
  editing: "Изменение сообщения",
  edited: "изменено",
  copyText: "Скопировать текст",
  copyLink: "Скопировать ссылку",
  deleteQuestion: "Удалить это сообщение?",
  deleteHint: "Оно исчезнет у всех. Отменить это нельзя.",

  copyCode: "Скопировать код",
  copied: "Скопировано.",

  searchHint: "Поиск по сообщениям этого чата, сначала новые.",
  nothingYet: "В новых сообщениях пока ничего не найдено",

  // Что произошло

  happened: {
    created: (by) => `${by} создал(а) группу`,
    joined: (by) => `${by} вступил(а) в группу`,
    left: (by) => `${by} покинул(а) группу`,
    added: (by, whom) => `${by} добавил(а) пользователя ${whom}`,
    removed: (by, whom) => `${by} исключил(а) пользователя ${whom}`,
    owner: (by, whom) => `${by} передал(а) группу пользователю ${whom}`,
    title: (by, text) => `${by} назвал(а) группу «${text}»`,
    description: (by) => `${by} изменил(а) описание`,
    public: (by) => `${by} сделал(а) группу открытой`,
    private: (by) => `${by} сделал(а) группу закрытой`,
    deleted: (by, whom) => `${by} удалил(а) сообщение пользователя ${whom}`,
  },
  happenedByYou: {
    created: () => "Вы создали группу",
    joined: () => "Вы вступили в группу",
    left: () => "Вы покинули группу",
    added: (whom) => `Вы добавили пользователя ${whom}`,
    removed: (whom) => `Вы исключили пользователя ${whom}`,
    owner: (whom) => `Вы передали группу пользователю ${whom}`,
    title: (text) => `Вы назвали группу «${text}»`,
    description: () => "Вы изменили описание",
    public: () => "Вы сделали группу открытой",
    private: () => "Вы сделали группу закрытой",
    deleted: (whom) => `Вы удалили сообщение пользователя ${whom}`,
  },
  happenedToYou: {
    added: (by) => `${by} добавил(а) вас`,
    removed: (by) => `${by} исключил(а) вас`,
    deleted: (by) => `${by} удалил(а) ваше сообщение`,
    owner: (by) => `${by} передал(а) вам группу`,
  },

  announce: (name, text) => `${name}: ${text}`,
  announceMany: (n) =>
    plural(n, { one: "{n} новое сообщение", few: "{n} новых сообщения", many: "{n} новых сообщений", other: "{n} нового сообщения" }),

  today: "Сегодня",
  yesterday: "Вчера",

  // О себе

  profile: "Ваш профиль",
  choosePicture: "Выбрать картинку",
  removePicture: "Убрать картинку",
  pictureHint: "PNG, JPEG, WebP или GIF до 5 МБ. Картинка обрезается до квадрата.",
  pictureTooLarge: "Картинка больше 5 МБ.",
  nickname: "Отображаемое имя",
  nicknameHint: "Его видят рядом с вашими сообщениями.",
  save: "Сохранить",
  saved: "Сохранено",
  language: "Язык",
  asBrowser: "Как в браузере",
  theme: "Оформление",
  themes: { "": "Как в системе", light: "Светлое", dark: "Тёмное" },
  notifications: "Уведомления",
  notificationsHint: "Сообщать о новых сообщениях, когда окно скрыто.",
  notificationsDenied: "Уведомления запрещены в браузере. Разрешите их в его настройках для этого сайта.",
  notificationsMissing: "Этот браузер не может показывать здесь уведомления.",
  turnOn: "Включить",
  turnOff: "Выключить",
  changePassword: "Сменить пароль",
  changePasswordHint: "После смены пароля вы выйдете из чата во всех остальных браузерах.",
  oldPassword: "Текущий пароль",
  newPassword: "Новый пароль",
  newPasswordHint: "Не меньше 8 символов. Хорошо подходят несколько слов подряд.",
  passwordChanged: "Пароль изменён.",
  sessions: "Где выполнен вход",
  thisSession: "Этот браузер",
  lastUsed: (when) => `Последний раз: ${when}`,
  endSession: "Выйти",
  endSessionNamed: (browser) => `Выйти: ${browser}`,
  unknownBrowser: "Неизвестный браузер",
  browserOn: (browser, system) => `${browser}, ${system}`,
  deleteAccount: "Удалить аккаунт",
  deleteAccountQuestion: "Удалить ваш аккаунт?",
  deleteAccountHint: "Имя, картинка и контакты будут удалены навсегда. Сообщения останутся с подписью «Удалённый пользователь».",
  password: "Пароль",

  // Диалоги

  cancel: "Отмена",
  close: "Закрыть",

  tryAgain: "Не получилось. Попробуйте ещё раз.",
  unreachable: "Сервер недоступен. Попробуйте чуть позже.",

  required: "Заполните это поле.",
  passwordShort: "Не меньше 8 символов.",
  passwordsDiffer: "Пароли не совпадают.",
  nameFree: "Это имя пользователя свободно.",
  showPassword: "Показать пароль",
  hidePassword: "Скрыть пароль",
};
