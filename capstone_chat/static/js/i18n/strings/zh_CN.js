/** 简体中文。 */

import { plurals } from "../plurals.js";

const plural = plurals("zh-CN");

export const strings = {
  appName: "Tornado Chat",

  connecting: "正在连接…",
  reconnecting: "正在重新连接…",
  refused: "连接已断开，请刷新页面。",

  // 列表

  you: "我",
  deletedUser: "已注销用户",
  members: (n) => plural(n, { other: "{n} 位成员" }),
  join: "加入",
  joinNamed: (title) => `加入 ${title}`,
  showMore: "显示更多",
  yourChats: "我的聊天",
  contacts: "联系人",
  groupsToJoin: "可以加入的群组",
  found: (n) => (n === 0 ? "没有找到" : plural(n, { other: "找到 {n} 条" })),
  nothingFound: (query) => `没有叫“${query}”的联系人或群组。`,
  createNamed: (query) => `创建“${query}”`,
  noChats: "还没有聊天",
  noChatsHint: "加入一个群组，自己创建一个，或者把认识的人添加为联系人。",
  unread: (n) => plural(n, { other: "{n} 条未读消息" }),
  draft: "草稿：",

  // 人

  online: "在线",
  blocked: "已拉黑",
  owner: "群主",
  membersTitle: "群成员",
  findMember: "查找成员",
  aboutPerson: "资料",
  write: "发消息",
  addContact: "添加联系人",
  addContactHint: "请对方告诉你登录时使用的用户名。",
  contactAdded: "已添加到联系人。",
  addToContacts: "添加到联系人",
  removeContact: "从联系人中移除",
  block: "拉黑",
  blockQuestion: (name) => `要拉黑 ${name} 吗？`,
  blockHint: "你们将无法互发消息，对方也看不到你是否在线。在共同的群组里仍会相遇。",
  unblock: "取消拉黑",
  youBlocked: (name) => `你已拉黑 ${name}，你们无法互发消息。`,
  peerDeleted: "对方已注销账号，聊天记录仍会保留。",
  userName: "用户名",
  nobody: "没有人使用这个用户名。",
  add: "添加",

  // 群组

  createGroup: "创建群组",
  create: "创建",
  editGroup: "编辑群组",
  groupName: "名称",
  about: "这个群是聊什么的？",
  mayStayEmpty: "（可不填）",
  whoCanJoin: "谁可以加入？",
  publicGroup: "所有人",
  publicHint: "这里的任何人都能搜到并加入这个群组。",
  privateGroup: "仅限受邀者",
  privateHint: "别人搜不到这个群组，成员由你邀请。",
  isPublic: "公开群组：任何人都能搜到并加入",
  isPrivate: "私密群组：成员由群主添加",
  addMember: "添加成员",
  removeMember: "移出群组",
  removeQuestion: (name) => `要把 ${name} 移出群组吗？`,
  removeHint: "对方将不能再查看或发送这里的消息。",
  makeOwner: "设为群主",
  makeOwnerQuestion: (name) => `要把群组转让给 ${name} 吗？`,
  makeOwnerHint: "你会作为普通成员留在群里，但不能再修改群组。",
  leave: "退出群组",
  leaveQuestion: (title) => `要退出“${title}”吗？`,
  leaveHint: "你将不再收到这里的消息。",
  leaveOwnerHint: "群组会转给入群时间最长的成员。",
  gone: (title) => `你已不是“${title}”的成员。`,

  invitations: "邀请",
  invitedBy: (name) => `${name} 邀请你加入`,
  accept: "接受",
  acceptNamed: (title) => `接受加入“${title}”的邀请`,
  decline: "拒绝",
  declineNamed: (title) => `拒绝加入“${title}”的邀请`,
  invitationGone: "这个邀请已失效。",
  invited: "已邀请",
  invitationSent: (name) => `已向 @${name} 发送邀请。`,
  withdraw: "撤回邀请",
  withdrawNamed: (name) => `撤回对 ${name} 的邀请`,

  // 消息

  newMessages: "新消息",
  latest: "跳到最新消息",
  latestUnread: (n) => `跳到最新消息，${plural(n, { other: "{n} 条新消息" })}`,
  loadingOlder: "正在加载更早的消息…",
  loading: "正在加载…",
  beginning: "聊天从这里开始。打个招呼吧，或者把群名告诉朋友，让他们来找你。",
  beginningPrivate: (name) => `你和 ${name} 的聊天从这里开始，只有你们两人能看到。`,
  beginningClosed: "聊天从这里开始，只有成员能看到。",

  typing: (names) =>
    names.length === 0 ? ""
    : names.length === 1 ? `${names[0]} 正在输入…`
    : names.length === 2 ? `${names[0]} 和 ${names[1]} 正在输入…`
    : "多人正在输入…",

  pending: "发送中",
  sent: "已发送",
  seen: "已读",
  failed: "未发送",
  retry: "重试",
  discard: "删除",
  failure: {
    text_empty: "消息是空的。",
    text_invalid: "消息里有不属于文本的字符。",
    text_too_long: "消息太长了。",
    not_found: "你已不在这个群组中。",
    blocked: "你们无法互发消息。",
    user_deleted: "对方已注销账号。",
    rate_limited: "消息发得太快了。",
    unavailable: "服务器没能保存这条消息。",
    conflict: "这条消息与另一条冲突。",
  },
  remaining: (n) =>
    n < 0 ? plural(-n, { other: "超出 {n} 个字" }) : plural(n, { other: "还可输入 {n} 个字" }),

  deleted: "消息已删除",
  deleteMessage: "删除这条消息",
  deleteQuestion: "要删除这条消息吗？",
  deleteHint: "所有人都将看不到它，且无法恢复。",

  searchHint: "搜索这里说过的话，最新的在前。",
  nothingYet: "在较新的消息中尚未找到",

  // 发生的事

  happened: {
    created: (by) => `${by} 创建了群组`,
    joined: (by) => `${by} 加入了群组`,
    left: (by) => `${by} 退出了群组`,
    added: (by, whom) => `${by} 添加了 ${whom}`,
    removed: (by, whom) => `${by} 将 ${whom} 移出了群组`,
    owner: (by, whom) => `${by} 将群主转让给了 ${whom}`,
    title: (by, text) => `${by} 将群组命名为“${text}”`,
    description: (by) => `${by} 修改了群组简介`,
    public: (by) => `${by} 将群组设为公开`,
    private: (by) => `${by} 将群组设为私密`,
    deleted: (by) => `${by} 删除了一条消息`,
  },
  happenedByYou: {
    created: () => "你创建了群组",
    joined: () => "你加入了群组",
    left: () => "你退出了群组",
    added: (whom) => `你添加了 ${whom}`,
    removed: (whom) => `你将 ${whom} 移出了群组`,
    owner: (whom) => `你将群主转让给了 ${whom}`,
    title: (text) => `你将群组命名为“${text}”`,
    description: () => "你修改了群组简介",
    public: () => "你将群组设为公开",
    private: () => "你将群组设为私密",
    deleted: () => "你删除了一条消息",
  },
  happenedToYou: {
    added: (by) => `${by} 添加了你`,
    removed: (by) => `${by} 将你移出了群组`,
    owner: (by) => `${by} 将群主转让给了你`,
  },

  announce: (name, text) => `${name}：${text}`,
  announceMany: (n) => plural(n, { other: "{n} 条新消息" }),

  today: "今天",
  yesterday: "昨天",

  // 自己

  profile: "个人资料",
  choosePicture: "选择头像",
  removePicture: "移除头像",
  pictureHint: "PNG、JPEG、WebP 或 GIF，不超过 5 MB，会裁剪成正方形。",
  pictureTooLarge: "图片超过 5 MB。",
  nickname: "昵称",
  nicknameHint: "别人在你的消息旁看到的名字。",
  save: "保存",
  saved: "已保存",
  language: "语言",
  asBrowser: "跟随浏览器",
  theme: "外观",
  themes: { "": "跟随系统", light: "浅色", dark: "深色" },
  notifications: "桌面通知",
  notificationsHint: "窗口隐藏时，有新消息会提醒你。",
  notificationsDenied: "浏览器已被设为不显示通知，请在本站的设置中允许。",
  notificationsMissing: "这个浏览器在这里无法显示通知。",
  turnOn: "开启",
  turnOff: "关闭",
  changePassword: "修改密码",
  changePasswordHint: "其他地方的登录都会退出。",
  oldPassword: "当前密码",
  newPassword: "新密码",
  newPasswordHint: "至少 8 个字符，几个词连起来就很好。",
  passwordChanged: "密码已修改。",
  sessions: "已登录的设备",
  thisSession: "当前浏览器",
  lastUsed: (when) => `上次使用：${when}`,
  endSession: "退出登录",
  endSessionNamed: (browser) => `退出登录：${browser}`,
  unknownBrowser: "未知浏览器",
  browserOn: (browser, system) => `${system} 上的 ${browser}`,
  deleteAccount: "注销账号",
  deleteAccountQuestion: "要注销账号吗？",
  deleteAccountHint: "你的名字、头像和联系人会被永久删除。你的消息会保留，显示为“已注销用户”。",
  password: "密码",

  // 对话框

  cancel: "取消",
  close: "关闭",

  tryAgain: "没有成功，请再试一次。",
  unreachable: "无法连接服务器，请稍后再试。",

  required: "请填写此项。",
  passwordShort: "至少 8 个字符。",
  passwordsDiffer: "两次输入的密码不一致。",
  nameFree: "这个名字可以用。",
  showPassword: "显示密码",
  hidePassword: "隐藏密码",
};
