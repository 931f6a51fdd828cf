document.querySelector("#here").textContent = "And this line was written by a script.";
