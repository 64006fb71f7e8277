// Package webpage turns what a site sent into text.
//
// Owns: alphabets, HTML to Markdown, which part of a text is given, the links of
// a page.
// Touches: nothing. It may take endless time and much memory on a page that was
// made for that, so it runs as a task of package worker.
// Never: fetches anything, or judges what may be fetched.
package webpage
