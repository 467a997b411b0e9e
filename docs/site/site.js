// What the theme leaves out for those who use a keyboard or a screen reader.
document.addEventListener("DOMContentLoaded", () => {
  for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.ariaLevel = "2";
  for (const box of document.querySelectorAll(".table-wrapper, pre")) if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
});
