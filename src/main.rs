//! The command line of `vacancy`.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use vacancy::app::{self, ServeOptions};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A real-time booking engine for short stays.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Args)]
struct ServeArgs {
    /// Serve demo listings and accounts from data/demo.db, with sandbox payments
    #[arg(long)]
    demo: bool,
    /// Start the demo anew
    #[arg(long, requires = "demo")]
    reset: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve(ServeArgs),
    /// Check the configuration and the database
    Check,
    /// Bring the database's tables up to date
    Migrate,
    /// Check that the database keeps its promises; exits with 1 and a list otherwise
    Verify,
    /// Print the OpenAPI document of the REST interface
    Openapi,
    /// Manage administrators
    #[command(subcommand)]
    Admin(Admin),
}

#[derive(Subcommand)]
enum Admin {
    /// Create an administrator; asks for the password, or reads it from ADMIN_PASSWORD
    Create {
        #[arg(long)]
        email: String,
        #[arg(long, default_value = "Admin")]
        first_name: String,
        #[arg(long, default_value = "Admin")]
        last_name: String,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    let done = match command {
        Command::Serve(ServeArgs { demo, reset }) => app::serve(ServeOptions { demo, reset }),
        Command::Check => app::check(),
        Command::Migrate => app::migrate(),
        Command::Verify => app::verify(),
        Command::Openapi => app::openapi(),
        Command::Admin(Admin::Create { email, first_name, last_name }) => {
            app::create_admin(email, first_name, last_name)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vacancy: {error}");
            ExitCode::FAILURE
        }
    }
}
