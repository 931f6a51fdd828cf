/** The dialog in which the owner of a group makes, copies and revokes its invite link. */

import { get, post, request } from "../api.js";
import { el } from "../browser/dom.js";
import { inviteAddress } from "../browser/router.js";
import { strings } from "../i18n/strings.js";
import { copyText } from "./clipboard.js";
import { openDialog, openFormDialog } from "./dialog.js";
import { showError, showToast } from "./toast.js";
import { when } from "./when.js";

const LIFETIMES = ["1", "7", "30"]; // days, as the server allows

/** Show the invite link of a group, or a form that makes one. @param {import("../conversations/conversation.js").Conversation} group */
export async function openInviteLink(group) {
  const path = `/api/groups/${group.id}/link`;
  const { link } = await get(path);
  if (link) showLink(path, link);
  else {
    openFormDialog({
      title: strings.inviteLink,
      text: strings.inviteLinkHint,
      fields: [{
        name: "days", label: strings.linkLifetime, kind: "choice", value: "7",
        options: LIFETIMES.map((days) => ({ value: days, label: strings.days(Number(days)) })),
      }],
      action: strings.createLink,
      async submit({ days }) {
        const made = await post(path, { days: Number(days) });
        return () => showLink(path, made.link);
      },
    });
  }
}

/** @param {string} path of the link in the API @param {{token: string, expires_at: number}} link */
function showLink(path, { token, expires_at: expiresAt }) {
  const address = inviteAddress(token);
  const field = el("input", { class: "input", readonly: true, "aria-label": strings.inviteLink, onfocus: () => field.select() });
  field.value = address;
  const revoke = async () => {
    try {
      await request("DELETE", path);
      dialog.close();
      showToast(strings.linkRevoked);
    } catch (error) {
      showError(error);
    }
  };
  const copy = el("button", { class: "button primary", type: "button", text: strings.copyLink, onclick: () => copyText(address) });
  const dialog = openDialog(strings.inviteLink,
    el("div", { class: "column" },
      el("p", { text: strings.inviteLinkHint }),
      field,
      el("p", { class: "hint" }, when(expiresAt, "validUntil")),
      el("div", { class: "actions" },
        el("button", { class: "button danger", type: "button", text: strings.revokeLink, onclick: revoke }),
        copy)));
  copy.focus();
}
