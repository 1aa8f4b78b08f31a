"use strict";
// The theme that was chosen last, before anything is drawn. Some viewers forbid to remember it.
try {
  const theme = localStorage.getItem("health-theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch { /* then it is the system's own */ }
