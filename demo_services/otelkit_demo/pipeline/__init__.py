"""A deploy that watches itself: what ``demo_services/pipeline/deploy.yml`` runs, and what the demo plays on a laptop."""
