// The registration form says whether a user name can be used, before it is sent.
const form = document.querySelector("#register");
const problem = document.querySelector("#name-problem");

form.elements.name.addEventListener("change", async () => {
  const name = form.elements.name.value;
  const response = await fetch(`/api/names?${new URLSearchParams({ name })}`);
  const answer = response.ok ? await response.json() : { available: true, problem: "" };
  if (name !== form.elements.name.value) return; // it has changed again
  problem.textContent = answer.available ? "You can use this name." : answer.problem;
  problem.toggleAttribute("data-problem", !answer.available);
});

form.confirmation.addEventListener("input", checkConfirmation);
form.password.addEventListener("input", checkConfirmation);

function checkConfirmation() {
  const same = form.password.value === form.confirmation.value;
  form.confirmation.setCustomValidity(same ? "" : "The two passwords are different.");
}
