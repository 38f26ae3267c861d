//! The terminal: a screen of its own, which is given back on every way out.

use super::view::View;
use anyhow::{Context, Result};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event};
use crossterm::style::{Print, Stylize};
use crossterm::terminal::{
    self, Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// How soon the thread that reads keys sees that it is to end.
const POLL: Duration = Duration::from_millis(100);

/// Whether the terminal is ours. It is given back once: a second time would move the cursor over what was printed since.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours. Gives it back when it is dropped.
pub(super) struct Screen {
    events: mpsc::UnboundedReceiver<Event>,
    is_over: Arc<AtomicBool>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It cannot be set so.
    pub(super) fn open() -> Result<Self> {
        restore_on_panic();
        terminal::enable_raw_mode().context("the terminal's keys cannot be read; --once prints the table")?;
        IS_TAKEN.store(true, Ordering::Relaxed);
        let (sender, events) = mpsc::unbounded_channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let screen = Self {
            events,
            is_over: is_over.clone(),
        };
        execute!(io::stdout(), EnterAlternateScreen, Hide, DisableLineWrap)?;
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                match event::poll(POLL) {
                    Ok(false) => {}
                    Ok(true) => match event::read() {
                        Ok(event) if sender.send(event).is_ok() => {}
                        _ => break,
                    },
                    Err(_) => break,
                }
            }
        });
        Ok(screen)
    }

    /// The next key or change of size; nothing when the terminal has gone.
    pub(super) async fn event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Draws all of it anew, line by line, so that nothing flickers.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    pub(super) fn draw(&mut self, view: &View, is_colored: bool) -> Result<()> {
        let (width, height) = terminal::size()?;
        let (width, height) = (usize::from(width), usize::from(height));
        let mut bytes = Vec::new();
        for (row, line) in (0u16..).zip(view.screen(width, height)) {
            queue!(bytes, MoveTo(0, row))?;
            match line.is_heading && is_colored {
                true => queue!(bytes, Print(line.text.reverse()))?,
                false => queue!(bytes, Print(line.text))?,
            }
            queue!(bytes, Clear(ClearType::UntilNewLine))?;
        }
        queue!(bytes, Clear(ClearType::FromCursorDown))?;
        let mut out = io::stdout().lock();
        out.write_all(&bytes)?;
        Ok(out.flush()?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        restore();
    }
}

/// Gives the terminal back. What fails of it has no remedy.
fn restore() {
    if !IS_TAKEN.swap(false, Ordering::Relaxed) {
        return;
    }
    let _ = execute!(io::stdout(), EnableLineWrap, Show, LeaveAlternateScreen);
    let _ = terminal::disable_raw_mode();
}

/// So that the words of a panic are seen, and not lost with the screen.
fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        before(panic);
    }));
}
