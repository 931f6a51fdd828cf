/** English. The other modules in this folder have the same keys. */

import { plurals } from "../plurals.js";

const plural = plurals("en");

export const strings = {
  appName: "Tornado Chat",

  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
  tryNow: "Try now",
  outdated: "New version",
  reload: "Reload",
  refused: "Disconnected.",

  // The list

  you: "You",
  deletedUser: "Deleted user",
  members: (n) => plural(n, { one: "{n} member", other: "{n} members" }),
  join: "Join",
  joinNamed: (title) => `Join ${title}`,
  joinQuestion: (title) => `Join “${title}”?`,
  showMore: "Show more",
  yourChats: "Your conversations",
  contacts: "Contacts",
  people: "People",
  groupsToJoin: "Groups you can join",
  publicGroups: "Public groups",
  noPublicGroups: "There are no public groups yet.",
  browseGroups: "Browse public groups",
  open: "Open",
  openNamed: (title) => `Open ${title}`,
  found: (n) => (n === 0 ? "Nothing found" : plural(n, { one: "{n} found", other: "{n} found" })),
  nothingFound: (query) => `Nothing found for “${query}”.`,
  findHint: "Enter the whole user name to find a person.",
  noChats: "No conversations yet",
  noChatsHint: "Join a group, create your own, or add somebody you know as a contact.",
  unread: (n, more) =>
    more ? plural(n, { other: "{n} or more unread messages" })
    : plural(n, { one: "{n} unread message", other: "{n} unread messages" }),
  draft: "Draft:",

  // People

  online: "Online",
  blocked: "Blocked",
  owner: "Owner",
  membersTitle: "Members",
  findMember: "Find a member",
  aboutPerson: "About",
  write: "Write a message",
  addContact: "Add a contact",
  addContactHint: "Ask them for the name they log in with.",
  contactAdded: "Added to your contacts.",
  addToContacts: "Add to contacts",
  removeContact: "Remove from contacts",
  block: "Block",
  blockQuestion: (name) => `Block ${name}?`,
  blockHint: "You will not be able to write to each other, and they will not see when you are online. You still meet in groups.",
  unblock: "Unblock",
  youBlocked: (name) => `You have blocked ${name}. You cannot write to each other.`,
  peerDeleted: "This account has been deleted. The messages stay.",
  userName: "User name",
  nobody: "Nobody has this user name.",
  add: "Add",
  addNamed: (name) => `Add ${name} to contacts`,

  // Groups

  createGroup: "Create a group",
  create: "Create group",
  editGroup: "Edit group",
  groupName: "Name",
  about: "What is it about?",
  mayStayEmpty: "(optional)",
  whoCanJoin: "Who can join?",
  publicGroup: "Everyone",
  publicHint: "Anyone here can find the group and join it.",
  privateGroup: "Invited people only",
  privateHint: "Nobody can find the group. You invite its members.",
  isPublic: "Public group: anyone here can find and join it",
  isPrivate: "Private group: its owner adds people",
  addMember: "Add a member",
  severalNames: "Separate several names with spaces.",
  removeMember: "Remove from the group",
  removeQuestion: (name) => `Remove ${name} from the group?`,
  removeHint: "They can no longer read or write here.",
  makeOwner: "Make owner",
  makeOwnerQuestion: (name) => `Make ${name} the owner?`,
  makeOwnerHint: "You stay in the group as a member and can no longer change it.",
  leave: "Leave group",
  leaveQuestion: (title) => `Leave “${title}”?`,
  leaveHint: "You will no longer get its messages.",
  leaveOwnerHint: "The group then belongs to the member who has been in it longest.",
  gone: (title) => `You are no longer a member of “${title}”.`,
  noSuchConversation: "This conversation does not exist, or you are not a member of it.",

  // Invitations

  invitations: "Invitations",
  invitedBy: (name) => `${name} invites you`,
  accept: "Accept",
  acceptNamed: (title) => `Accept the invitation to ${title}`,
  decline: "Decline",
  declineNamed: (title) => `Decline the invitation to ${title}`,
  invitationGone: "This invitation no longer exists.",
  invited: "Invited",
  invitationSent: (name) => `An invitation has been sent to @${name}.`,
  withdraw: "Withdraw the invitation",
  withdrawNamed: (name) => `Withdraw the invitation of ${name}`,
  inviteLink: "Invite link",
  inviteLinkHint: "While the link is valid, anyone who has it can join the group.",
  linkLifetime: "How long is it valid?",
  days: (n) => plural(n, { one: "{n} day", other: "{n} days" }),
  createLink: "Create link",
  validUntil: (when) => `Valid until ${when}`,
  revokeLink: "Revoke link",
  linkRevoked: "The link no longer works.",

  // Messages

  newMessages: "New messages",
  latest: "Jump to the latest message",
  latestUnread: (n, more) => `Jump to the latest message, ${plural(n, { other: more ? "{n} or more new" : "{n} new" })}`,
  loadingOlder: "Loading older messages…",
  loading: "Loading…",
  beginning: "This is the beginning of the group. Say hello, or tell others its name so that they can find it.",
  beginningPrivate: (name) => `This is the beginning of your conversation with ${name}. Only the two of you can read it.`,
  beginningClosed: "This is the beginning of the group. Only its members can read it.",

  typing: (names) =>
    names.length === 0 ? ""
    : names.length === 1 ? `${names[0]} is typing…`
    : names.length === 2 ? `${names[0]} and ${names[1]} are typing…`
    : "Several people are typing…",

  pending: "Sending",
  sent: "Sent",
  seen: "Read",
  failed: "Not sent",
  retry: "Try again",
  discard: "Delete",
  failure: /** @type {Record<string, string>} */ ({
    text_empty: "The message is empty.",
    text_invalid: "The message has characters that are not allowed.",
    text_too_long: "The message is too long.",
    not_found: "You are no longer a member of this group.",
    blocked: "You cannot write to each other.",
    user_deleted: "This account has been deleted.",
    message_deleted: "The message has been deleted.",
    rate_limited: "Too many messages at once.",
    unavailable: "The server could not save the message.",
    conflict: "This message conflicts with another one.",
  }),
  remaining: (n) =>
    n < 0 ? plural(-n, { one: "{n} character too many", other: "{n} characters too many" })
    : plural(n, { one: "{n} character left", other: "{n} characters left" }),

  deleted: "Message deleted",
  messageMenu: "Message menu",
  reply: "Reply",
  inReplyTo: "Reply to",
  edit: "Edit",
  editing: "Edit message",
  edited: "edited",
  copyText: "Copy text",
  copyLink: "Copy link",
  deleteQuestion: "Delete this message?",
  deleteHint: "It disappears for everyone. This cannot be undone.",

  copyCode: "Copy the code",
  copied: "Copied.",

  searchHint: "Searches the messages of this conversation, the newest first.",
  nothingYet: "Nothing found yet in the newest messages",

  // What happened, told of somebody, by the reader, or to the reader

  happened: {
    created: (by) => `${by} created the group`,
    joined: (by) => `${by} joined`,
    left: (by) => `${by} left`,
    added: (by, whom) => `${by} added ${whom}`,
    removed: (by, whom) => `${by} removed ${whom}`,
    owner: (by, whom) => `${by} made ${whom} the owner`,
    title: (by, text) => `${by} named the group “${text}”`,
    description: (by) => `${by} changed the description`,
    public: (by) => `${by} made the group public`,
    private: (by) => `${by} made the group private`,
    deleted: (by, whom) => `${by} deleted a message from ${whom}`,
  },
  happenedByYou: {
    created: () => "You created the group",
    joined: () => "You joined",
    left: () => "You left",
    added: (whom) => `You added ${whom}`,
    removed: (whom) => `You removed ${whom}`,
    owner: (whom) => `You made ${whom} the owner`,
    title: (text) => `You named the group “${text}”`,
    description: () => "You changed the description",
    public: () => "You made the group public",
    private: () => "You made the group private",
    deleted: (whom) => `You deleted a message from ${whom}`,
  },
  happenedToYou: {
    added: (by) => `${by} added you`,
    removed: (by) => `${by} removed you`,
    deleted: (by) => `${by} deleted one of your messages`,
    owner: (by) => `${by} made you the owner`,
  },

  announce: (name, text) => `${name}: ${text}`,
  announceMany: (n) => plural(n, { one: "{n} new message", other: "{n} new messages" }),

  today: "Today",
  yesterday: "Yesterday",

  // Yourself

  profile: "Your profile",
  choosePicture: "Choose a picture",
  removePicture: "Remove picture",
  pictureHint: "PNG, JPEG, WebP or GIF, up to 5 MB. It is cropped to a square.",
  pictureTooLarge: "The picture is larger than 5 MB.",
  nickname: "Nickname",
  nicknameHint: "The name that others see beside your messages.",
  save: "Save",
  saved: "Saved",
  language: "Language",
  asBrowser: "Same as the browser",
  theme: "Appearance",
  themes: { "": "Same as the system", light: "Light", dark: "Dark" },
  notifications: "Desktop notifications",
  notificationsHint: "Get a notification of new messages while this window is hidden.",
  notificationsDenied: "This browser blocks notifications. Allow them in its settings for this site.",
  notificationsMissing: "This browser cannot show notifications here.",
  turnOn: "Turn on",
  turnOff: "Turn off",
  changePassword: "Change password",
  changePasswordHint: "Changing the password logs you out in all other browsers.",
  oldPassword: "Current password",
  newPassword: "New password",
  newPasswordHint: "8 characters or more. A few words make a good one.",
  passwordChanged: "Your password has been changed.",
  sessions: "Where you are logged in",
  thisSession: "This browser",
  lastUsed: (when) => `Last used ${when}`,
  endSession: "Log out",
  endSessionNamed: (browser) => `Log out: ${browser}`,
  unknownBrowser: "Unknown browser",
  browserOn: (browser, system) => `${browser} on ${system}`,
  deleteAccount: "Delete account",
  deleteAccountQuestion: "Delete your account?",
  deleteAccountHint: "Your name, picture and contacts are deleted for good. Your messages stay, from “Deleted user”.",
  password: "Password",

  // Dialogs

  cancel: "Cancel",
  close: "Close",

  tryAgain: "That did not work. Please try again.",
  unreachable: "The server cannot be reached. Please try again in a moment.",

  required: "Fill this in.",
  passwordShort: "Use 8 characters or more.",
  passwordsDiffer: "The two passwords are not the same.",
  nameFree: "This user name is free.",
  showPassword: "Show password",
  hidePassword: "Hide password",
};
