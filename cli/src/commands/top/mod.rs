//! `presque top`: how the queues are, live.

mod screen;
mod view;

use crate::api::{Api, Failure, Overview};
use crate::exit::Exit;
use crate::output::{self, Output};
use anyhow::Result;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use screen::Screen;
use std::io::{self, IsTerminal};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use view::{Sort, View};

/// Shows the queues with their rates, ages, dead jobs and workers, again each second.
///
/// The keys r, a, d and n sort by ready jobs, by age, by dead jobs and by name; q ends. Where standard output is no terminal, or with --json,
/// the table is printed once.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Top {
    /// Only queues whose name has this in it.
    #[arg(value_name = "TEXT")]
    search: Option<String>,
    /// Print the table once, and end.
    #[arg(long)]
    once: bool,
    /// What comes first.
    #[arg(long, value_enum, default_value_t)]
    sort: Sort,
    /// How many seconds there are from one look to the next.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
}

impl Top {
    /// Shows the queues until a key or a signal ends it.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        if self.once || out.json || !io::stdout().is_terminal() {
            return self.print(api, out).await;
        }
        let mut view = View::new(api.base().as_str(), self.sort);
        // A server that cannot be used is told of before the screen is taken.
        view.update(self.look(api, self.sort).await?);
        let mut screen = Screen::open()?;
        let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
        let mut interrupt = signal(SignalKind::interrupt())?;
        let interval = Duration::from_secs(self.interval);
        let (mut pause, mut is_due) = (Instant::now() + interval, false);
        loop {
            if is_due {
                pause = Instant::now() + interval;
                match self.look(api, view.sort).await {
                    Ok(overview) => view.update(overview),
                    Err(failure) if Failure::may_pass(&failure) => view.fail(failure.to_string()),
                    Err(failure) => return Err(failure.into()),
                }
            }
            screen.draw(&view, out.is_colored)?;
            is_due = tokio::select! {
                () = tokio::time::sleep_until(pause) => true,
                event = screen.event() => match event {
                    Some(Event::Key(key)) if key.kind != KeyEventKind::Release => match pressed(key) {
                        Some(Pressed::Quit) => break,
                        Some(Pressed::Sort(sort)) => {
                            view.sort = sort;
                            true
                        }
                        None => false,
                    },
                    Some(_) => false,
                    None => break,
                },
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => break,
            };
        }
        Ok(Exit::Done)
    }

    async fn look(&self, api: &Api, sort: Sort) -> Result<Overview, Failure> {
        api.page(&api.overview(sort.name(), self.search.as_deref()), None).await
    }

    async fn print(&self, api: &Api, out: Output) -> Result<Exit> {
        let overview = self.look(api, self.sort).await?;
        if out.json {
            for queue in &overview.queues {
                out.value(queue)?;
            }
            return Ok(Exit::Done);
        }
        let shown = overview.queues.len() as u64;
        if overview.matching > shown {
            output::note(format!("Of {} queues the first {shown} are shown.", overview.matching));
        }
        let mut view = View::new(api.base().as_str(), self.sort);
        view.update(overview);
        for line in view.table(usize::from(u16::MAX), usize::MAX) {
            out.line(line)?;
        }
        Ok(Exit::Done)
    }
}

enum Pressed {
    Quit,
    Sort(Sort),
}

fn pressed(key: KeyEvent) -> Option<Pressed> {
    Some(match key.code {
        KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => Pressed::Quit,
        KeyCode::Char('q') | KeyCode::Esc => Pressed::Quit,
        KeyCode::Char('r') => Pressed::Sort(Sort::Ready),
        KeyCode::Char('a') => Pressed::Sort(Sort::Age),
        KeyCode::Char('d') => Pressed::Sort(Sort::Dead),
        KeyCode::Char('n') => Pressed::Sort(Sort::Name),
        _ => return None,
    })
}
