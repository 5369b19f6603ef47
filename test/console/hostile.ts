// Texts that would do harm where a page took them for HTML, script or a template. For tests of every page that
// shows what others wrote.

export const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'-alert(1)-'",
  '</textarea></title></style><svg onload=alert(1)>',
  '$' + '{alert(1)}{{7*7}}<%= 7*7 %>',
  'javascript:alert(1)',
  '&lt;b&gt; <!-- ]]> \u202e\u0007 -->',
];
