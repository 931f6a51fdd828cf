/** Русский. */

import { plurals } from "../plurals.js";

const plural = plurals("ru");

export const strings = {
  appName: "Tornado Chat",

  connecting: "Соединение…",
  reconnecting: "Восстанавливаем соединение…",
  refused: "Соединение закрыто. Обновите страницу.",

  // Список

  you: "Вы",
  deletedUser: "Удалённый пользователь",
  members: (n) => plural(n, { one: "{n} участник", few: "{n} участника", many: "{n} участников", other: "{n} участника" }),
  join: "Вступить",
  joinNamed: (title) => `Вступить: ${title}`,
  showMore: "Показать ещё",
  yourChats: "Ваши чаты",
  contacts: "Контакты",
  groupsToJoin: "Открытые группы",
  found: (n) =>
    n === 0 ? "Ничего не найдено"
    : plural(n, { one: "Найдено: {n}", few: "Найдено: {n}", many: "Найдено: {n}", other: "Найдено: {n}" }),
  nothingFound: (query) => `Нет ни людей, ни групп с названием «${query}».`,
  createNamed: (query) => `Создать «${query}»`,
  noChats: "Пока нет чатов",
  noChatsHint: "Вступите в группу, создайте свою или добавьте знакомого в контакты.",
  unread: (n) =>
    plural(n, {
      one: "{n} непрочитанное сообщение", few: "{n} непрочитанных сообщения",
      many: "{n} непрочитанных сообщений", other: "{n} непрочитанного сообщения",
    }),
  draft: "Черновик:",

  // Люди

  online: "В сети",
  blocked: "В чёрном списке",
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
  blockQuestion: (name) => `Заблокировать? ${name}`,
  blockHint: "Вы не сможете писать друг другу, и ваше присутствие в сети будет скрыто. В общих группах вы по-прежнему видите друг друга.",
  unblock: "Разблокировать",
  youBlocked: (name) => `${name} у вас в чёрном списке. Вы не можете писать друг другу.`,
  peerDeleted: "Этот аккаунт удалён. Переписка остаётся.",
  userName: "Имя пользователя",
  nobody: "Такого имени пользователя нет.",
  add: "Добавить",

  // Группы

  createGroup: "Создать группу",
  create: "Создать",
  editGroup: "Изменить группу",
  groupName: "Название",
  about: "О чём она?",
  mayStayEmpty: "(необязательно)",
  whoCanJoin: "Кто может вступить?",
  publicGroup: "Все",
  publicHint: "Любой может найти группу и вступить в неё.",
  privateGroup: "Только приглашённые",
  privateHint: "Группу нельзя найти поиском. Участников приглашаете вы.",
  isPublic: "Открытая группа: любой может найти её и вступить",
  isPrivate: "Закрытая группа: участников добавляет владелец",
  addMember: "Добавить участника",
  removeMember: "Исключить из группы",
  removeQuestion: (name) => `Исключить из группы? ${name}`,
  removeHint: "Этот человек больше не сможет читать и писать здесь.",
  makeOwner: "Сделать владельцем",
  makeOwnerQuestion: (name) => `Передать группу? ${name}`,
  makeOwnerHint: "Вы останетесь в группе обычным участником и не сможете её менять.",
  leave: "Выйти из группы",
  leaveQuestion: (title) => `Выйти из группы «${title}»?`,
  leaveHint: "Вы перестанете получать её сообщения.",
  leaveOwnerHint: "Группа перейдёт к участнику, который состоит в ней дольше всех.",
  gone: (title) => `Вы больше не состоите в группе «${title}».`,

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

  // Сообщения

  newMessages: "Новые сообщения",
  latest: "К последнему сообщению",
  latestUnread: (n) =>
    `К последнему сообщению, ${plural(n, { one: "{n} новое", few: "{n} новых", many: "{n} новых", other: "{n} нового" })}`,
  loadingOlder: "Загружаем более ранние сообщения…",
  loading: "Загрузка…",
  beginning: "Здесь всё начинается. Поздоровайтесь или назовите группу друзьям, чтобы они её нашли.",
  beginningPrivate: (name) => `Здесь начинается ваш чат. Собеседник: ${name}. Читать его можете только вы двое.`,
  beginningClosed: "Здесь всё начинается. Читать группу могут только участники.",

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
    text_invalid: "В сообщении есть символы, которые не являются текстом.",
    text_too_long: "Сообщение слишком длинное.",
    not_found: "Вы больше не состоите в этой группе.",
    blocked: "Вы не можете писать друг другу.",
    user_deleted: "Этот аккаунт удалён.",
    rate_limited: "Слишком много сообщений сразу.",
    unavailable: "Сервер не смог сохранить сообщение.",
    conflict: "Это сообщение противоречит другому.",
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
  deleteMessage: "Удалить это сообщение",
  deleteQuestion: "Удалить это сообщение?",
  deleteHint: "Оно исчезнет у всех. Отменить это нельзя.",

  searchHint: "Поиск по этому чату, новые сообщения сверху.",
  nothingYet: "В новых сообщениях пока ничего не найдено",

  // Что произошло

  happened: {
    created: (by) => `${by} создал(а) группу`,
    joined: (by) => `${by} вступил(а) в группу`,
    left: (by) => `${by} вышел(-ла) из группы`,
    added: (by, whom) => `${by} добавил(а): ${whom}`,
    removed: (by, whom) => `${by} исключил(а): ${whom}`,
    owner: (by, whom) => `${by} передал(а) группу: ${whom}`,
    title: (by, text) => `${by} назвал(а) группу «${text}»`,
    description: (by) => `${by} изменил(а) описание`,
    public: (by) => `${by} сделал(а) группу открытой`,
    private: (by) => `${by} сделал(а) группу закрытой`,
    deleted: (by) => `${by} удалил(а) сообщение`,
  },
  happenedByYou: {
    created: () => "Вы создали группу",
    joined: () => "Вы вступили в группу",
    left: () => "Вы вышли из группы",
    added: (whom) => `Вы добавили: ${whom}`,
    removed: (whom) => `Вы исключили: ${whom}`,
    owner: (whom) => `Вы передали группу: ${whom}`,
    title: (text) => `Вы назвали группу «${text}»`,
    description: () => "Вы изменили описание",
    public: () => "Вы сделали группу открытой",
    private: () => "Вы сделали группу закрытой",
    deleted: () => "Вы удалили сообщение",
  },
  happenedToYou: {
    added: (by) => `${by} добавил(а) вас`,
    removed: (by) => `${by} исключил(а) вас`,
    owner: (by) => `${by} передал(а) вам группу`,
  },

  announce: (name, text) => `${name}: ${text}`,
  announceMany: (n) =>
    plural(n, { one: "{n} новое сообщение", few: "{n} новых сообщения", many: "{n} новых сообщений", other: "{n} нового сообщения" }),

  today: "Сегодня",
  yesterday: "Вчера",

  // О себе

  profile: "Ваш профиль",
  choosePicture: "Выбрать фото",
  removePicture: "Убрать фото",
  pictureHint: "PNG, JPEG, WebP или GIF до 5 МБ. Фото обрезается до квадрата.",
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
  notificationsDenied: "Браузеру запрещено показывать уведомления. Разрешите их в настройках этого сайта.",
  notificationsMissing: "Этот браузер не может показывать здесь уведомления.",
  turnOn: "Включить",
  turnOff: "Выключить",
  changePassword: "Сменить пароль",
  changePasswordHint: "На всех остальных устройствах вход завершится.",
  oldPassword: "Нынешний пароль",
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
  deleteAccountHint: "Имя, фото и контакты исчезнут навсегда. Сообщения останутся с подписью «Удалённый пользователь».",
  password: "Пароль",

  // Диалоги

  cancel: "Отмена",
  close: "Закрыть",

  tryAgain: "Не получилось. Попробуйте ещё раз.",
  unreachable: "Сервер недоступен. Попробуйте чуть позже.",

  required: "Заполните это поле.",
  passwordShort: "Не меньше 8 символов.",
  passwordsDiffer: "Пароли не совпадают.",
  nameFree: "Это имя свободно.",
  showPassword: "Показать пароль",
  hidePassword: "Скрыть пароль",
};
